"""What is said of a library that is loaded, or that does not come to an end."""

from __future__ import annotations

from pathlib import Path

from gui.records.device import Device, DeviceType, HardwareDevice, Incompatibility
from gui.records.failure import FailureKind
from gui.records.library import Library, LibraryState
from gui.records.library_remarks import incompatibility_text, is_same_file, remarks_of

CPU = HardwareDevice(type=DeviceType.CPU, vendor="Maker")


def loaded(name: str, path: str = "", *keys: str, said: tuple[str, ...] = ()) -> Library:
    return Library(
        name=name, path=path or f"/eps/{name}.so", state=LibraryState.LOADED, device_keys=keys or ("one",), said=said
    )


def bare(name: str, said: tuple[str, ...] = ()) -> Library:
    """A loaded library without a device."""
    return Library(name=name, path=f"/eps/{name}.so", state=LibraryState.LOADED, said=said)


def device(ep_name: str, library: str | None) -> Device:
    return Device(ep_name=ep_name, device=CPU, library=library, key=f"{library}/{ep_name}")


def kinds(library: Library, *others: Library, devices: tuple[Device, ...] = ()) -> list[FailureKind]:
    return [remark.kind for remark in remarks_of(library, (library, *others), devices)]


def test_that_nothing_is_said_of_a_library_that_is_as_it_should_be() -> None:
    assert kinds(loaded("a"), loaded("b"), devices=(device("A", "a"), device("B", "b"), device("Cpu", None))) == []


def test_that_nothing_is_said_of_libraries_that_are_not_loaded() -> None:
    for state in (LibraryState.NOT_LOADED, LibraryState.FAILED, LibraryState.UNREGISTERING, LibraryState.LOADING):
        assert kinds(Library(name="a", path="/a.so", state=state), loaded("b", "/a.so")) == []


def test_that_one_that_takes_long_is_said_to_hang() -> None:
    library = Library(name="a", path="/a.so", state=LibraryState.LOADING, overdue=True)
    (remark,) = remarks_of(library, (library,), ())
    assert remark.kind is FailureKind.HANGS
    assert "30 seconds" in remark.message
    assert "Keep waiting, or stop it" in remark.hint


# ---- No device ----


def test_that_a_library_without_a_device_is_told_and_points_to_virtual_devices() -> None:
    library = bare("a")
    (remark,) = remarks_of(library, (library,), ())
    assert remark.kind is FailureKind.NO_DEVICES
    assert remark.message == "“a” is loaded, but offers no device here."
    assert "“a.virtual”" in remark.hint


def test_that_one_that_is_virtual_already_is_not_sent_to_virtual_devices() -> None:
    library = bare("a.virtual")
    (remark,) = remarks_of(library, (library,), ())
    assert "virtual devices" not in remark.hint


def test_that_the_line_that_tells_why_there_is_no_device_is_quoted_and_all_are_in_the_details() -> None:
    library = bare("a", said=("a 1.2 starts", "needs onnxruntime >= 1.29", "done"))
    (remark,) = remarks_of(library, (library,), ())
    assert remark.message.endswith("It said: needs onnxruntime >= 1.29")
    assert remark.detail == "a 1.2 starts\nneeds onnxruntime >= 1.29\ndone"


def test_that_lines_that_tell_nothing_are_not_quoted() -> None:
    library = bare("a", said=("a 1.2 starts", "done"))
    (remark,) = remarks_of(library, (library,), ())
    assert "It said" not in remark.message
    assert remark.detail == "a 1.2 starts\ndone"


def test_that_a_long_line_is_cut_in_the_sentence_alone() -> None:
    library = bare("a", said=("error " + "x" * 1000,))
    (remark,) = remarks_of(library, (library,), ())
    assert len(remark.message) < 400
    assert len(remark.detail) > 1000


def test_that_the_reason_ort_knows_goes_before_what_was_printed() -> None:
    library = bare("a", said=("error: something",))
    told = Incompatibility(ep_name="A", library="a", hardware=CPU, reasons=("the driver does not fit",), notes="v1")
    other = Incompatibility(ep_name="B", library="b", hardware=CPU, reasons=("the hardware does not fit",))
    (remark,) = remarks_of(library, (library,), (), (other, told))
    assert remark.message.endswith("offers no device here: CPU Maker is not offered: the driver does not fit: v1.")
    assert "hardware does not fit" not in str(remark)


# ---- Warnings ----


def test_that_what_an_ep_warns_of_is_told_in_its_words() -> None:
    library = loaded("a")
    told = Incompatibility(
        ep_name="A",
        library="a",
        hardware=CPU,
        offered=True,
        reasons=("something is missing",),
        notes="no\nbackend",
        error_code=7,
    )
    (remark,) = remarks_of(library, (library,), (device("A", "a"),), (told,))
    assert remark.kind is FailureKind.EP_WARNS
    assert "CPU Maker is offered, but something is missing: no backend (code 7)." in remark.message


def test_that_hardware_that_is_not_offered_is_no_warning_while_another_is() -> None:
    library = loaded("a")
    told = Incompatibility(ep_name="A", library="a", hardware=CPU)
    assert remarks_of(library, (library,), (device("A", "a"),), (told,)) == ()
    assert incompatibility_text(told) == "CPU Maker is not offered: it gives no reason"


# ---- Twice ----


def test_that_the_same_file_under_two_names_is_told_on_both(tmp_path: Path) -> None:
    file, link = tmp_path / "a.so", tmp_path / "b.so"
    file.write_bytes(b"")
    link.symlink_to(file)
    one, other = loaded("one", str(file)), loaded("other", str(link))
    assert kinds(one, other) == kinds(other, one) == [FailureKind.ALREADY_LOADED]
    (remark,) = remarks_of(one, (one, other), ())
    assert "“other”" in remark.message


def test_that_the_same_file_that_is_not_loaded_is_not_in_the_way() -> None:
    assert kinds(loaded("one", "/a.so"), Library(name="other", path="/a.so", state=LibraryState.FAILED)) == []


def test_that_an_ep_name_offered_twice_is_told_with_the_other_library() -> None:
    devices = (device("Dup", "one"), device("Dup", "other"), device("Single", "one"))
    one = loaded("one")
    assert kinds(one, loaded("other"), devices=devices) == [FailureKind.SAME_EP_NAME]
    (remark,) = remarks_of(one, (one, loaded("other")), devices)
    assert "Dup is offered by “other”, too" in remark.message
    assert "cannot mix" in remark.hint


def test_that_the_name_of_orts_own_ep_is_told_as_orts() -> None:
    devices = (device("Cpu", None), device("Cpu", "one"))
    (remark,) = remarks_of(loaded("one"), (loaded("one"),), devices)
    assert "“ONNX Runtime”" in remark.message


def test_that_paths_that_lead_nowhere_are_the_same_when_they_are_spelled_the_same() -> None:
    assert is_same_file("/gone/a.so", "/gone/a.so")
    assert not is_same_file("/gone/a.so", "/gone/b.so")
    assert not is_same_file("/gone/a\0.so", "/gone/b.so")
