"""The processors of this machine, as devices."""

import os


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_all_cores() -> None:
    """Make every processor a JAX device, before JAX looks for devices; the library itself never
    does. What the user says by JAX_NUM_CPU_DEVICES or XLA_FLAGS stays."""
    import jax

    told = "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "")
    if jax.config.values["jax_num_cpu_devices"] < 0 and not told:
        jax.config.update("jax_num_cpu_devices", processors())
