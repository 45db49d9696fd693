"""Chains whose nodes four processes share, beside whole chains: outputs, gradients, communication, refusals."""

import json
from typing import get_args

import pytest
from chains import HEADS
from fresh_processes import run_fresh
from shared_chains import BATCHES, LENGTHS, PADDING, REFUSED, SPLITS, TOLERANCE, cases

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.chain.kinds import Kind
from chainhead_plugin.parallel import parallelize_sequence

# Of the table a part that covers all of its rows and columns; all of it with --full.
EVERY = 4


@pytest.fixture(scope="module")
def told(tmp_path_factory, pytestconfig):
    every = 1 if pytestconfig.getoption("full") else EVERY
    support = str(pytestconfig.rootpath / "tests" / "support")
    code = f"""
        import json, sys
        sys.path.insert(0, {support!r})
        from shared_chain_checks import everything
        from shared_chains import in_processes
        print(json.dumps(in_processes(everything, {every})))
    """
    done = run_fresh(code, folder=tmp_path_factory.mktemp("processes"), offline=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("check", ["kinds", "options", "communication", "refused", "ways"])
def test_four_processes_equal_one(told, check):
    assert told[check]
    assert not {name: text for name, text in told[check].items() if text}


def test_the_table_has_every_kind():
    by_kind = {}
    for _, options, rows in cases(EVERY):
        by_kind.setdefault(json.dumps(options), []).append(rows)
    assert len(by_kind) == len(HEADS) - len(REFUSED)
    for place, values in enumerate((LENGTHS, SPLITS, PADDING, BATCHES, TOLERANCE)):
        assert {rows[place] for all_rows in by_kind.values() for rows in all_rows} == set(values)
        # Of every kind most of them, and each of its directions.
        assert min(len({rows[place] for rows in all_rows}) for all_rows in by_kind.values()) > len(values) / 2
    assert {name.split("-")[0] for name in HEADS if name not in REFUSED} >= {
        {"single_hop": "single_hop", "channel_hops": "channel"}.get(kind, kind) for kind in get_args(Kind)
    }


def test_without_torch_distributed_it_says_how_to_start():
    with pytest.raises(RuntimeError, match="start the program by torchrun"):
        parallelize_sequence(ChainInterdependenceHead(2, 2, 4))
