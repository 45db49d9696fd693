"""The guide to sounds runs on a small copy of its data: the same files in the same folders, with other sounds."""

import runpy
from pathlib import Path

import numpy as np
from guides import play, sections
from sounds import write_sound

VOICES = {
    "en_US_f_Allison": 300,
    "es_MX_f_Allison": 500,
    "fr_CA_f_June": 800,
    "it_IT_m_Carlo": 1_300,
    "ru_RU_f_IvrvoiceRU": 2_100,
}


def write_voices():
    """Write a tone for each voice in place of its prompts."""
    rng = np.random.default_rng(0)
    names = ["added", "digits/1", "letters/a", "silence/1", *(f"vm-{number}" for number in range(10))]
    for voice, hertz in VOICES.items():
        for name in names:
            file = Path("asterisk/usr/share/asterisk/sounds") / voice / f"{name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            times = np.arange(int(8_000 * rng.uniform(0.2, 0.4))) / 8_000
            sound = 6_000 * np.sin(2 * np.pi * hertz * times) + rng.normal(0, 600, len(times))
            write_sound(file, [] if name == "vm-0" and voice.startswith("it") else sound, 8_000)


def test_the_guide(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_voices()
    blocks = [block for block in sections("sounds.md")["Five voices"] if block.language != "text"]
    assert [block.language for block in blocks] == ["py", "yaml", "console", "py"]
    for block in blocks:
        if block.language == "py":
            Path(block.file).write_text(block.content, "utf-8")
            runpy.run_path(block.file)
        else:
            assert all(play([block])) or block.language == "yaml"
    # Thirteen prompts of five voices, without silence and an empty file: a quarter of the prompts is the test part.
    assert len(Path("voices.csv").read_text("utf-8").splitlines()) == 1 + 5 * 13 - 1
    assert capsys.readouterr().out.endswith("% of 20 sounds\n")
