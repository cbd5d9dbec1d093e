"""Every attack is held in every tier that this machine offers; and whoever judges that would see it if one was not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest

from evoengine.errors import PluginError, SandboxError
from evoengine.sandboxes import probe
from evoengine.selfcheck import GROUPS, Verdict, attacks, self_check
from evoengine.selfcheck.corpus import WATCHED
from evoengine.selfcheck.world import ENVIRONMENT

HERE = Path(__file__).parent
IN_PROCESS = str(HERE / "sandboxes" / "in_process.py")
WITHOUT = str(HERE / "sandboxes" / "without.py")
ROOT = os.getuid() == 0
SPARE_USER = 64999
AS_USERS = {"as whoever runs this": None} | (
    {"as root with an interpreter for all": 0, "as another user": SPARE_USER} if ROOT else {}
)


TIERS = [one.tier for one in probe() if one.works]


@cache
def verdicts(tier: str, user: int | None) -> dict[str, Verdict]:
    """All verdicts of one tier, from one run; none when the tier says that it does not work."""
    try:
        return {one.name: one for one in self_check({"use": "jail", "tier": tier}, user=user)}
    except SandboxError:
        # control groups belong to root: only there may a tier that works for root refuse another user
        if tier == "T1" and user == SPARE_USER:
            return {}
        raise


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("attack", [one.name for one in attacks() if one.possible])
@pytest.mark.parametrize("who", AS_USERS)
@pytest.mark.parametrize("tier", TIERS)
def test_every_attack_is_held(tier: str, who: str, attack: str) -> None:
    found = verdicts(tier, AS_USERS[who])
    if found:
        assert found[attack].held, found[attack].why


def test_some_attacks_of_every_kind_are_held_by_default() -> None:
    numbers = """
        0001 0004 0008 0101 0203 0301 0308 0403 0407 0501 0504 0601 0602 0701 0708 0714 0801 0806 0902 0904 0912
        1001 1006 1010 1101 1106
    """
    chosen = [f"{number}*" for number in numbers.split()]
    found = self_check("jail", only=chosen)
    assert [(one.name, one.why) for one in found if not one.held] == []
    assert len(found) == len(chosen)
    assert {one.tier for one in found} <= set(TIERS)


def test_there_are_attacks_of_every_group_and_each_says_what_must_come_of_it() -> None:
    found = attacks()
    assert len([one for one in found if not one.honest]) >= 80
    assert {one.group for one in found} == set(GROUPS)
    assert len([one for one in found if one.honest]) >= 4
    assert len({one.name[:4] for one in found}) == len(found)
    assert all(one.layers for one in found if not one.honest)
    assert all("scored" not in one.must or one.outputs != () for one in found)


@pytest.mark.parametrize(
    "header",
    [
        '"""Says nothing of what must follow."""\n',
        'MUST = {"crashed"}\n',
        '"""Needs what it may answer."""\nMUST = {"scored"}\n',
        '"""Names no cause."""\nMUST = {"splendid"}\n',
        '"""Watches nothing."""\nMUST = {"crashed"}\nWATCH = {"the sky"}\n',
        '"""Is held by nothing."""\nMUST = {"crashed"}\nLAYERS = ("luck",)\n',
        '"""Has another limit."""\nMUST = {"crashed"}\nLIMITS = {"patience": 1}\n',
    ],
)
def test_an_attack_with_a_wrong_header_is_an_error_that_names_it(tmp_path: Path, header: str) -> None:
    (tmp_path / "0101_wrong.py").write_text(header)
    with pytest.raises(PluginError, match="0101_wrong"):
        attacks(tmp_path)


def test_an_engine_that_does_not_start_is_an_error_that_tells_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif 'evoengine.selfcheck.runner' in sys.orig_argv:\n"
        "    from evoengine.selfcheck import enclosure\n"
        "    def bound():\n        raise RuntimeError('no bounds today')\n"
        "    enclosure.bound = bound\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{HERE.parent}")
    with pytest.raises(SandboxError, match="no bounds today"):
        self_check("none", only="0005*")


def corpus_of(folder: Path, **programs: str) -> Path:
    """A folder of attacks, given as what their function does, with what must come of it."""
    for number, (name, text) in enumerate(programs.items()):
        header, _, body = text.partition("|")
        lines = "".join(f"    {line}\n" for line in body.split("\n"))
        program = f'"""Tries {name}."""\n{header}\nimport os, time\ndef attack(world):\n{lines}'
        (folder / f"{101 + number:04d}_{name}.py").write_text(program)
    return folder


ANYTHING = 'MUST = {"scored", "crashed"}\nOUTPUTS = ...|'
SEEN = {
    "cause": 'MUST = {"crashed"}|return 1',
    "outputs": 'MUST = {"scored"}\nOUTPUTS = (1,)|return float("nan")',
    "measure": ANYTHING.replace("|", "\nLEAST_CPU_SECONDS = 0.1|")
    + "end, clock = time.process_time() + 0.15, time.process_time\nwhile clock() < end:\n    pass\n"
    + "time.process_time = lambda: 0",
    "text": ANYTHING + "print('\\x1b[2J')",
    "secrets": ANYTHING + "return open(world['secret']).read()",
    "canaries": ANYTHING + "os.unlink(world['canary'])",
    "leftovers": ANYTHING + "os.mkdir(world['inside'] + '/new')",
    "listeners": ANYTHING
    + "import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', world['ports']['udp']))",
    "processes": ANYTHING + "if os.fork() == 0:\n    os.setsid()\n    time.sleep(600)",
    "memory": ANYTHING + "held = b'x' * 2**29\ntime.sleep(0.2)",
    "engine": ANYTHING + "os.setpriority(os.PRIO_PROCESS, world['engine'], 5)",
    "after": ANYTHING + "import math\nmath.comb = lambda *given: 0",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """What comes of one attack for each thing that is watched, where nothing is held."""
    corpus = corpus_of(tmp_path_factory.mktemp("corpus"), **SEEN)
    return {one.name[5:]: one for one in self_check(IN_PROCESS, corpus=corpus)}


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(SEEN))
def test_what_gets_through_where_nothing_holds_is_seen(seen: dict[str, Verdict], kind: str) -> None:
    assert not seen[kind].held
    assert kind in seen[kind].found, seen[kind].why


def test_the_death_of_the_warm_process_is_seen(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, warm='MUST = {"crashed"}|os.kill(os.getppid(), 9)\ntime.sleep(60)')
    [found] = self_check("none", corpus=corpus)
    assert found.found == ("warm",)


def test_everything_that_is_watched_has_a_test_that_sees_it() -> None:
    assert {*SEEN, "warm"} == set(WATCHED)


def test_an_engine_that_is_killed_or_stopped_is_a_verdict_and_the_rest_is_tried(tmp_path: Path) -> None:
    corpus = corpus_of(
        tmp_path,
        killed=ANYTHING + "os.kill(world['engine'], 9)",
        stopped=ANYTHING + "os.kill(world['engine'], 19)\ntime.sleep(1)",
        harmless=ANYTHING + "return 1",
    )
    told = []
    found = self_check(IN_PROCESS, corpus=corpus, on_verdict=told.append)
    assert found == told
    assert [(one.name, one.held, one.found) for one in found] == [
        ("0101_killed", False, ("engine",)),
        ("0102_stopped", False, ("engine",)),
        ("0103_harmless", True, ()),
    ]
    assert "SIGKILL" in found[0].why
    assert "stopped" in found[1].why


@pytest.mark.slow
def test_nothing_of_an_attack_that_got_through_outlives_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOENGINE_TEST_MARK", str(tmp_path))
    daemon = (
        ANYTHING
        + "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(600)\n    os._exit(0)"
    )
    killed = ANYTHING + "if os.fork() == 0:\n    time.sleep(600)\nos.kill(world['engine'], 9)"
    found = self_check(IN_PROCESS, corpus=corpus_of(tmp_path, daemon=daemon, killed=killed))
    assert [one.held for one in found] == [False, False]
    assert running(str(tmp_path)) == []


def test_honest_candidates_score_where_nothing_is_held_as_well() -> None:
    assert all(one.held for one in self_check("none", only=["0001*", "0003*", "0004*", "0005*", "0007*"]))


def test_a_sandbox_that_cannot_start_is_an_error_and_no_verdict(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "from evoengine.errors import SandboxError\nfrom evoengine.sandboxes.base import Sandbox\n"
        "class Broken(Sandbox):\n    def open(self, job):\n        raise SandboxError('no jail today')\n"
    )
    with pytest.raises(SandboxError, match="no jail today"):
        self_check(str(broken), only="0001*")
    with pytest.raises(SandboxError, match="nothing_like_it"):
        self_check("none", only="nothing_like_it")


LAYERS = {
    "landlock": ("T3", "0501_reads_a_secret_file"),
    "seccomp": ("T3", "0602_udp"),
    "limits": ("T3", "0203_a_large_array"),
    "cgroup": ("T1", "0220_memory_of_children_that_it_may_have"),
}


@pytest.mark.slow
@pytest.mark.parametrize("layer", sorted(layer for layer, (tier, _) in LAYERS.items() if tier in TIERS))
def test_an_attack_gets_through_when_the_layer_that_holds_it_is_taken_out(layer: str) -> None:
    tier, name = LAYERS[layer]
    assert [one.held for one in self_check({"use": WITHOUT, "tier": tier, "without": ()}, only=name)] == [True]
    assert [one.held for one in self_check({"use": WITHOUT, "tier": tier, "without": (layer,)}, only=name)] == [False]


@pytest.mark.slow
@pytest.mark.parametrize("number", ["0903", "0904", "0906", "1012", "1013"])
def test_an_answer_that_is_no_plain_data_gets_through_where_frames_are_not_checked(number: str) -> None:
    [found] = unchecked()[number]
    assert found.found == ("cause",), found.why


@cache
def unchecked() -> dict[str, list[Verdict]]:
    """Verdicts on answers that are no plain data, by number, from a sandbox that believes what it is sent."""
    found = self_check(str(HERE / "sandboxes" / "trusting.py"), only=["0903*", "0904*", "0906*", "1012*", "1013*"])
    return {one.name[:4]: [one] for one in found}


@pytest.mark.slow
def test_nothing_is_left_when_whoever_asked_for_the_check_is_killed(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, first=ANYTHING + "return 1", patient=ANYTHING + "time.sleep(600)")
    script = (
        "from pathlib import Path\nfrom evoengine.selfcheck import self_check\n"
        "def say(one):\n    print(one.name, flush=True)\n"
        f"self_check({IN_PROCESS!r}, corpus=Path({str(corpus)!r}), on_verdict=say)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "EVOENGINE_TEST_MARK": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as asking:
        assert asking.stdout is not None
        assert asking.stdout.readline() == b"0101_first\n"
        assert running(str(tmp_path))
        asking.kill()
    for _ in range(400):
        if not running(str(tmp_path)):
            break
        time.sleep(0.05)
    assert running(str(tmp_path)) == []


def running(mark: str) -> list[str]:
    """The processes that have this in their environment, but for this one."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            held = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if mark.encode() in held and ENVIRONMENT.encode() in held:
            found.append(pid)
    return found
