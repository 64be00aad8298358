"""Counters: what happened is what Prometheus reads."""

from __future__ import annotations

from solidrec.serve.metrics import STAGES, Metrics


def test_what_happened_is_counted() -> None:
    metrics = Metrics()
    for stage in STAGES:
        metrics.observe(stage, 0.003)
    metrics.batch(3, 0.02)
    metrics.response("/v1/recommend", 200)
    metrics.response("/v1/recommend", 200)
    metrics.response("/v1/recommend", 422)
    metrics.fallback()
    metrics.version("a")
    metrics.version("b")
    text = metrics.text().decode()
    assert 'solidrec_responses_total{path="/v1/recommend",status="200"} 2.0' in text
    assert 'solidrec_responses_total{path="/v1/recommend",status="422"} 1.0' in text
    assert 'solidrec_stage_seconds_count{stage="answer"} 2.0' in text
    assert 'solidrec_stage_seconds_bucket{le="0.005",stage="parse"} 1.0' in text
    assert "solidrec_batch_size_sum 3.0" in text
    assert "solidrec_fallbacks_total 1.0" in text
    assert 'solidrec_model{version="b"} 1.0' in text
    assert 'version="a"' not in text


def test_two_services_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.fallback()
    assert "solidrec_fallbacks_total 0.0" in other.text().decode()
