"""What is known of the options of a target's EPs, and how it is said."""

from __future__ import annotations

from typing import Any

import pytest

from gui.models.known_options import (
    EpKnowledge,
    KnownOption,
    allowed_text,
    details_of,
    full_key,
    known_options,
    note_of,
    short_text,
    tip_of,
)
from gui.records.option_catalogue import CatalogueOption, OptionType, find

from .makers import device

GGML = device("ggml", ep_name="ggml", library="ggml")
QNN = device("qnn", ep_name="qnn", library="qnn")
OPENVINO = device("ov", ep_name="OpenVINOExecutionProvider", library="ov")
MINE = device("mine", ep_name="MyEp", library="mine", ep_options=(("mode", "fast"), ("Depth", "3")))
CPU = device("cpu", ep_name="CPUExecutionProvider")


def option(kind: OptionType, **fields: Any) -> CatalogueOption:
    return CatalogueOption(key="key", type=kind, description="What it is.", **fields)


def known(entry: CatalogueOption | None = None, **fields: Any) -> KnownOption:
    return KnownOption(key="key", eps=(EpKnowledge(ep_name="Ep", option=entry, **fields),))


# ---- Which keys ----


def test_that_keys_come_from_the_catalogue_of_the_device() -> None:
    found = known_options((GGML,), {})
    assert {"device", "threads", "weights"} <= set(found)
    assert list(found) == sorted(found, key=str.casefold)
    (ep,) = found["threads"].eps
    assert ep.catalogue is find("ggml")
    assert ep.option is not None


def test_that_keys_come_from_ep_options_and_earlier_sessions() -> None:
    found = known_options((MINE,), {"myep": (("mode", "slow"), ("extra", "1")), "other": (("not", "mine"),)})
    assert list(found) == ["Depth", "extra", "mode"]
    assert found["mode"].eps == (EpKnowledge(ep_name="MyEp", offered="fast", echoed="slow"),)
    assert found["extra"].eps == (EpKnowledge(ep_name="MyEp", echoed="1"),)


def test_that_the_three_places_add_up_to_one_option() -> None:
    more = device("more", ep_name="ggml", ep_options=(("threads", "4"),))
    (ep,) = known_options((more,), {"ggml": (("threads", "2"),)})["threads"].eps
    assert ep.option is not None
    assert (ep.offered, ep.echoed) == ("4", "2")


def test_that_orts_own_cpu_ep_is_known_to_take_nothing() -> None:
    assert known_options((CPU,), {}) == {}


def test_that_under_a_policy_each_key_is_there_for_all_and_for_one() -> None:
    found = known_options((CPU, GGML, MINE), {}, by_policy=True)
    assert {"threads", "ep.ggml.threads", "mode", "ep.myep.mode"} <= set(found)
    assert "ep.ggml.mode" not in found
    full = [key for key in found if key.startswith("ep.")]
    assert list(found)[-len(full) :] == full
    assert not any(key.startswith("ep.cpu") for key in found)


def test_that_under_a_policy_a_key_of_several_eps_is_one() -> None:
    found = known_options((QNN, OPENVINO), {}, by_policy=True)
    assert [ep.ep_name for ep in found["device_id"].eps] == ["qnn", "OpenVINOExecutionProvider"]
    assert [ep.ep_name for ep in found["ep.qnn.device_id"].eps] == ["qnn"]


def test_that_a_full_key_is_as_ort_makes_it() -> None:
    assert full_key("WebGpuExecutionProvider", "enableInt64") == "ep.webgpuexecutionprovider.enableInt64"


def test_that_values_are_those_of_a_list_that_is_taken_alone() -> None:
    assert known(option(OptionType.CHOICE, values=("a", "b"))).values == ("a", "b")
    assert known(option(OptionType.CHOICE, values=("a", "b"), is_list=True)).values == ()
    assert known(option(OptionType.INT)).values == ()
    assert known(offered="fast").values == ()


def test_that_the_default_of_the_ep_itself_counts_more_than_the_catalogues() -> None:
    entry = option(OptionType.INT, default="1")
    assert known(entry).default == "1"
    assert known(entry, offered="4").default == "4"
    assert known(echoed="4").default == ""


# ---- Words ----


@pytest.mark.parametrize(
    ("what", "value", "text", "is_warning"),
    [
        (None, "1", "not checked: ORT accepts anything", False),
        (known(offered="fast"), "x", "from ep_options", False),
        (known(echoed="fast"), "x", "echoed by an earlier session", False),
        (known(option(OptionType.TEXT), offered="x"), "y", "What it is.", False),
        (known(option(OptionType.INT, minimum=1)), "4", "What it is.", False),
        (known(option(OptionType.INT, minimum=1)), "", "What it is.", False),
        (known(option(OptionType.INT, minimum=1)), "0", "takes only a whole number from 1", True),
        (known(option(OptionType.CHOICE, values=("a", "b"))), "c", "takes only a, b", True),
        (known(option(OptionType.TEXT, instead="set B")), "1", "ignored by the EP: set B", True),
    ],
)
def test_that_a_note_says_how_an_option_is_known(
    what: KnownOption | None, value: str, text: str, is_warning: bool
) -> None:
    note = note_of(what, value)
    assert (note.text, note.is_warning) == (text, is_warning)


def test_that_a_note_on_several_eps_names_them_and_the_one_that_objects() -> None:
    entry = option(OptionType.INT, minimum=1)
    several = KnownOption(
        key="key",
        eps=(EpKnowledge(ep_name="A", option=entry), EpKnowledge(ep_name="B", option=option(OptionType.TEXT))),
    )
    assert note_of(several, "1").text == "A, B: What it is."
    assert note_of(several, "x").text == "A: takes only a whole number from 1"


def test_that_an_option_that_one_of_several_eps_ignores_is_no_warning() -> None:
    found = known_options((QNN, OPENVINO), {}, by_policy=True)
    assert not found["device_id"].is_ignored
    assert not note_of(found["device_id"], "0").is_warning
    assert found["ep.openvinoexecutionprovider.device_id"].is_ignored


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (option(OptionType.BOOL, values=("0", "1")), "0, 1"),
        (option(OptionType.CHOICE, values=("68", "73"), is_list=True), "68, 73; several separated by commas"),
        (option(OptionType.INT), "a whole number"),
        (option(OptionType.INT, minimum=1, maximum=4096), "a whole number from 1 to 4096"),
        (option(OptionType.INT, maximum=4), "a whole number up to 4"),
        (option(OptionType.FLOAT, minimum=0.5), "a number from 0.5"),
        (option(OptionType.INT, minimum=1 << 40), "a whole number from 1099511627776"),
        (option(OptionType.PATH), "a path"),
        (option(OptionType.TEXT), "any text"),
    ],
)
def test_that_what_an_option_takes_is_said_as_it_is_typed(entry: CatalogueOption, text: str) -> None:
    assert allowed_text(entry) == text
    assert short_text(entry) == text


def test_that_a_long_list_of_values_is_counted_where_there_is_little_room() -> None:
    entry = option(OptionType.CHOICE, values=tuple("abcdefgh"))
    assert short_text(entry) == "one of 8 values"
    assert note_of(known(entry), "x").text == "takes only one of 8 values"
    assert "a, b, c, d, e, f, g, h" in tip_of(known(entry), "a")


def test_that_details_tell_what_it_takes_and_the_default() -> None:
    entry = option(OptionType.INT, minimum=1, default="4")
    assert details_of(known(entry), "2") == "What it is. Takes a whole number from 1. Default: 4."
    assert details_of(known(entry), "0") == (
        "What it is. “0” is not among what it takes: a whole number from 1. Default: 4."
    )
    assert "in ep_options, as “8”" in details_of(known(entry, offered="8"), "2")
    assert "Default" not in details_of(known(entry, offered="8"), "2")


def test_that_details_of_what_was_only_echoed_do_not_promise_that_it_is_read() -> None:
    assert "ORT echoes unknown keys, too" in details_of(known(echoed="1"), "1")


def test_that_details_of_an_unknown_option_say_that_nothing_is_checked() -> None:
    assert details_of(None, "1").startswith("Not checked: ORT accepts any key and value")


def test_that_a_tip_tells_type_allowed_values_default_and_source() -> None:
    tip = tip_of(known_options((GGML,), {})["weights"], "f16")
    assert "Type: choice. Takes: f16, f32, q8_0" in tip
    assert "Default: f16." in tip
    assert "Source: ggml 0.2.0, https://github.com/thewh1teagle/onnxruntime-ggml" in tip
