"""A made-up cell model in Myokit's format, in any units: a gate, a leak with the classic 0/0, a
channel of three states with rates up to 300/ms, a pump that is not linear."""

from pathlib import Path

MODEL = """[[model]]
name: made up
membrane.V = -80
gates.h = 0.9
channel.C = 0.8
channel.O = 0.1
channel.I = 0.1
ions.Na = 10

[engine]
time = 0 bind time
    in [{time}]
pace = 0 bind pace

[membrane]
dot(V) = {speed} * {size} * (-(gates.i_h + leak.i + channel.i_O) + engine.pace * 40)
    label membrane_potential
    in [{volt}]
u = V / {size}
    in [mV]

[gates]
dot(h) = {speed} * (a * (1 - h) - b * h)
a = if(membrane.u < -20, 0.1 * exp(-(membrane.u + 80) / 20), 0.001)
b = 0.5 / (1 + exp(-(membrane.u + 20) / 5))
g_h = 0.02
i_h = g_h * h * (membrane.u + 85)

[leak]
g = 0.003
i = g * 0.1 * (membrane.u + 47) / (1 - exp(-0.1 * (membrane.u + 47)))

[channel]
dot(C) = {speed} * (k_off * O - k_on * C)
dot(O) = {speed} * (k_on * C + r * I - (k_off + d) * O)
dot(I) = {speed} * (d * O - r * I)
k_on = 0.5 * exp(membrane.u / 40)
k_off = 300
d = 0.02
r = 0.01
g = 0.01
i_O = g * O * (membrane.u + 10)

[ions]
dot(Na) = {speed} * (0.001 - 0.002 * Na ^ 2 / (Na ^ 2 + 100))
"""


def write(path: Path, time: str = "ms", volt: str = "mV", text: str = MODEL) -> Path:
    """The model in a file, its time in ms or s, its voltage in mV or V."""
    speed, size = {"ms": 1.0, "s": 1000.0}[time], {"mV": 1.0, "V": 0.001}[volt]
    text = text.format(time=time, volt=volt, speed=speed, size=size)
    path.write_text(text.replace("V = -80\n", f"V = {-80 * size}\n", 1))
    return path
