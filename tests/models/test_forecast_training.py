"""Accuracy of trained forecasting models, and their training with a plain loop and with Trainer."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForTimeSeriesPrediction, Trainer, TrainingArguments

from chainhead_plugin import ChainHeadConfig, ChainHeadForTimeSeriesPrediction


def seasonal_series(count, length, period=12):
    """Levels, trends, amplitudes and phases of their own; half of the noise's variance carries over."""
    rng = np.random.default_rng(0)
    time = np.arange(length)
    level, trend = rng.normal(0, 50, (count, 1)), rng.normal(0, 0.02, (count, 1))
    wave = np.sin(2 * np.pi * (time / period + rng.random((count, 1))))
    wave += 0.5 * np.sin(4 * np.pi * (time / period + rng.random((count, 1))))
    noise = rng.normal(0, 0.3, (count, length))
    for step in range(1, length):
        noise[:, step] += 0.5 * noise[:, step - 1]
    size = 10 ** rng.uniform(-2, 2, (count, 1))
    return (size * (level + trend * time + wave + noise)).astype(np.float32)


def windows(values, past, future):
    cut = np.lib.stride_tricks.sliding_window_view(values, past + future, axis=-1).reshape(-1, past + future)
    cut = torch.tensor(cut)
    return cut[:, :past], cut[:, past:]


def fit(model, past, future, steps):
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, steps)
    for _ in range(steps):
        rows = torch.randint(len(past), (64,))
        model(past[rows], future_values=future[rows]).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    return model.eval()


class TestWorth:
    """Beyond learning at all: against the forecast that costs nothing, last season's values again."""

    def test_quantiles_of_seasonal_series(self):
        values = seasonal_series(200, 96)
        config = ChainHeadConfig(
            m=1,
            n=16,
            chain_length=36,
            prediction_length=12,
            pooling="flatten",
            quantiles=[0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95],
        )
        model = fit(ChainHeadForTimeSeriesPrediction(config), *windows(values[:150], 36, 12), steps=400)
        past, target = windows(values[150:], 36, 12)
        with torch.no_grad():
            output = model(past)
        naive = ((past[:, -12:] - target) / output.scale).abs().mean()
        error = ((output.prediction_outputs - target) / output.scale).abs().mean()
        assert error < 0.85 * naive
        for level, forecast in zip(config.quantiles, output.quantile_outputs.unbind(-1), strict=True):
            assert (target <= forecast).float().mean() == pytest.approx(level, abs=0.05), level

    def test_airline_passengers(self):
        """Each of the last four years, from the years before it."""
        from aeon.datasets import load_airline

        passengers = np.asarray(load_airline(), dtype=np.float32).ravel()
        config = ChainHeadConfig(
            m=1, n=16, chain_length=24, prediction_length=12, pooling="flatten", with_relu=False
        )
        errors, naive_errors = [], []
        for start in (96, 108, 120, 132):
            known, year = passengers[:start], torch.tensor(passengers[start : start + 12])
            model = fit(ChainHeadForTimeSeriesPrediction(config), *windows(known, 24, 12), steps=150)
            forecast = model(torch.tensor(known[None, -24:])).prediction_outputs[0]
            errors.append((forecast - year).abs().mean().item())
            naive_errors.append((torch.tensor(known[-12:]) - year).abs().mean().item())
        assert np.mean(errors) < 0.65 * np.mean(naive_errors), (errors, naive_errors)


class Windows(torch.utils.data.Dataset):
    def __init__(self, past, future):
        self.past, self.future = past, future

    def __len__(self):
        return len(self.past)

    def __getitem__(self, index):
        return {"past_values": self.past[index], "future_values": self.future[index]}


class TestTrainer:
    def train(self, folder, label_names, compute_metrics=None):
        past, target = windows(seasonal_series(6, 60), 24, 6)
        config = ChainHeadConfig(
            m=1, n=8, chain_length=24, prediction_length=6, pooling="flatten", quantiles=[0.1, 0.5, 0.9]
        )
        trainer = Trainer(
            model=ChainHeadForTimeSeriesPrediction(config),
            args=TrainingArguments(
                folder,
                max_steps=40,
                per_device_train_batch_size=32,
                learning_rate=1e-2,
                label_names=label_names,
                report_to=[],
                disable_tqdm=True,
                use_cpu=True,
            ),
            train_dataset=Windows(past, target),
            eval_dataset=Windows(past[:50], target[:50]),
            compute_metrics=compute_metrics,
        )
        before = trainer.evaluate()["eval_loss"]
        trainer.train()
        return trainer, before, trainer.evaluate()

    def test_evaluation_with_nothing_said(self, tmp_path):
        _, before, after = self.train(tmp_path, None)
        assert after["eval_loss"] < 0.9 * before

    def test_metrics_and_checkpoints(self, tmp_path):
        def measure(evaluated):
            forecast, quantiles = evaluated.predictions[:2]
            assert quantiles.shape == (*forecast.shape, 3)
            return {"mae": np.abs(forecast - evaluated.label_ids).mean()}

        trainer, before, after = self.train(tmp_path / "run", ["future_values"], measure)
        assert after["eval_loss"] < 0.9 * before
        past = trainer.eval_dataset.past
        forecast = trainer.model.eval()(past).prediction_outputs
        mae = (forecast - trainer.eval_dataset.future).abs().mean().item()
        assert after["eval_mae"] == pytest.approx(mae, rel=1e-5)
        trainer.save_model(tmp_path / "model")
        loaded = AutoModelForTimeSeriesPrediction.from_pretrained(tmp_path / "model")
        assert torch.equal(loaded(past).prediction_outputs, forecast)
