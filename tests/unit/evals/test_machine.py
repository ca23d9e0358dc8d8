from pathlib import Path

from evals.machine import command, machine


def test_a_machine_is_named_by_processor_and_widest_instruction_set(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 avx512f sse\n")
    assert machine(cpuinfo).endswith(" cores, AMD EPYC, avx512f")


def test_a_machine_without_cpuinfo_still_has_a_name(tmp_path: Path) -> None:
    assert machine(tmp_path / "none").endswith("instruction set unknown")


def test_a_command_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    typed = command([str(tmp_path / "bin" / "evals"), "retrieval", str(Path.cwd() / "data")])
    assert typed == "evals retrieval data"
