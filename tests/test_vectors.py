"""Vectors of 512 bits: asked for where they pay, and used."""

import os
import subprocess
import sys

import pytest

from heartsim import _vectors, widen_vectors

ZEN_5 = "vendor_id : AuthenticAMD\nflags : avx2 avx512f avx512_bf16 avx512_vp2intersect\n"
ZEN_4 = "vendor_id : AuthenticAMD\nflags : avx2 avx512f avx512_bf16\n"
ZEN_3 = "vendor_id : AuthenticAMD\nflags : avx2\n"
TIGER_LAKE = "vendor_id : GenuineIntel\nflags : avx2 avx512f avx512_vp2intersect\n"


@pytest.mark.parametrize(
    ("told", "before", "after"),
    [
        (ZEN_5, None, "--xla_cpu_prefer_vector_width=512"),
        (ZEN_5, "--xla_dump_to=x", "--xla_dump_to=x --xla_cpu_prefer_vector_width=512"),
        (ZEN_5, "--xla_cpu_prefer_vector_width=128", "--xla_cpu_prefer_vector_width=128"),
        (ZEN_4, None, "--xla_cpu_prefer_vector_width=512"),
        (ZEN_3, None, None),
        (TIGER_LAKE, None, None),
        (None, "", ""),
    ],
)
def test_they_are_asked_for_where_they_pay_and_nobody_has_spoken(
    tmp_path, monkeypatch, told, before, after
):
    info = tmp_path / "cpuinfo"
    if told is not None:
        info.write_text(told)
    monkeypatch.setattr(_vectors, "Path", lambda _: info)
    monkeypatch.setenv("XLA_FLAGS", before or "")
    if before is None:
        monkeypatch.delenv("XLA_FLAGS")
    widen_vectors()
    assert os.environ.get("XLA_FLAGS") == after


@pytest.mark.skipif(not _vectors._gains_by_512_bits(), reason="not asked for on this processor")
@pytest.mark.parametrize(("asked", "used"), [("", True), (f" {_vectors.FLAG}=256", False)])
def test_xla_computes_with_them_though_jax_was_imported_before(tmp_path, asked, used):
    """In a process of its own, whose code names 16 numbers at once."""
    code = (
        "import jax, heartsim, jax.numpy as jnp; heartsim.widen_vectors(); "
        "jax.block_until_ready(jax.jit(lambda x: x * x + 1.0)(jnp.ones(4096)))"
    )
    env = os.environ | {"XLA_FLAGS": f"--xla_dump_to={tmp_path}{asked}"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
    made = [path.read_text() for path in tmp_path.glob("*jit__lambda*with-opt.ll")]
    assert made
    assert any("<16 x float>" in text for text in made) == used
