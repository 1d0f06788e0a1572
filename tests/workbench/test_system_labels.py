from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.formats import localize_input
from pytest_django import DjangoAssertNumQueries

from customers.models import Purpose, PurposeChannel
from labels.actions import refresh_system_labels
from labels.actions.computed import change_thresholds, create_value
from labels.models import Assignment, RefreshRun, ThresholdSetting, ValueDefinition
from labels.system import families
from tests.factories import NOW, CustomerFactory, FactFactory, PurposeFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def profiling(db: None) -> Purpose:
    purpose: Purpose = PurposeFactory(code="profiling", rule="opt_in")
    purpose.channels.filter(channel="email").update(basis=PurposeChannel.Basis.INTEREST)
    return purpose


@pytest.fixture
def client(marketeer: User, client_of: object) -> Client:
    return client_of(marketeer)  # type: ignore[operator,no-any-return]


def change_url(family: str) -> str:
    return reverse("workbench:system_label_change", args=[family])


BORROWING = {"months": "12", "average": "6", "heavy": "24"}
FORMULA = {
    "name": "Leespunten", "unit": "number", "description": "",
    "what_0": "quantity", "kinds_0": ["loan"], "months_0": "12", "weight_0": "2,5",
    "what_1": "", "weight_1": "1", "months_1": "12", "what_2": "", "weight_2": "1", "months_2": "12",
    "what_3": "", "weight_3": "1", "months_3": "12",
}  # fmt: skip


def test_the_page_tells_of_every_family_what_it_means_and_what_the_last_run_did(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    FactFactory(customer=CustomerFactory(), quantity=8)
    refresh_system_labels(now=NOW, due_key="1")
    with django_assert_max_num_queries(20):
        page = client.get(reverse("workbench:system_label_list")).content.decode()
    for family in families:
        assert f'id="family-{family.code}"' in page
    assert "6 tot en met 23 uitleningen in 12 maanden." in page
    assert "iedereen (op verzoek)" in page
    assert "Activiteiten tellen" in page
    assert "Zware lener vanaf <strong>24</strong> uitleningen" in page
    assert "vanaf: <strong>€" in page


def test_a_threshold_is_looked_at_before_it_is_saved(client: Client) -> None:
    customer = CustomerFactory(first_name="Anna", last_name="Bosman")
    FactFactory(customer=customer, quantity=8)
    refresh_system_labels(now=NOW, due_key="1")
    page = client.post(change_url("borrowing"), {**BORROWING, "average": "10", "preview": "1"}).content.decode()
    assert "Vanaf het opslaan: 1 labels gegeven en 1 weggehaald." in page
    assert "Anna Bosman" in page
    assert not ThresholdSetting.objects.exists()
    assert Assignment.objects.open().filter(label__code="borrowing-average").exists()


def test_saving_sets_it_and_keeps_who_did(client: Client) -> None:
    response = client.post(change_url("borrowing"), {**BORROWING, "average": "10"})
    assert response.status_code == 302
    assert ThresholdSetting.objects.get().number == 10
    page = client.get(change_url("borrowing")).content.decode()
    assert "6 → 10" in page
    assert "marketeer" in page


def test_what_is_set_shows_as_set_by_us(client: Client) -> None:
    change_thresholds(families["value"], numbers={"middle": 4250, "high": 15000})
    page = client.get(reverse("workbench:system_label_list")).content.decode()
    assert "door jullie ingesteld" in page
    assert "42,50" in client.get(change_url("value")).content.decode()


@pytest.mark.parametrize(
    ("family", "sent", "words"),
    [
        ("borrowing", {**BORROWING, "average": "30"}, "meer zijn dan de drempel ervoor"),
        ("borrowing", {**BORROWING, "months": "900"}, "60"),
        ("borrowing", {**BORROWING, "months": ""}, "has-error"),
        ("value", {"middle": "veel", "high": "150"}, "12,50"),
    ],
)
@pytest.mark.parametrize("button", ["save", "preview"])
def test_what_cannot_be_is_told_at_its_field(
    client: Client, family: str, sent: dict[str, str], words: str, button: str
) -> None:
    response = client.post(change_url(family), {**sent, button: "1"})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not ThresholdSetting.objects.exists()


def test_a_family_without_thresholds_or_that_is_none_has_no_page(client: Client) -> None:
    assert client.get(change_url("household")).status_code == 404
    assert client.get(change_url("onzin")).status_code == 404


def test_looking_at_the_pages_changes_nothing(client: Client) -> None:
    for address in (change_url("borrowing"), reverse("workbench:value_list"), reverse("workbench:value_create")):
        assert client.get(address).status_code == 200
    assert not RefreshRun.objects.exists()
    assert not ThresholdSetting.objects.exists()


def test_a_value_is_looked_at_made_changed_and_removed(client: Client) -> None:
    for loans in (2, 4):
        FactFactory(customer=CustomerFactory(last_name=f"Lener{loans}"), quantity=loans)
    page = client.post(reverse("workbench:value_create"), {**FORMULA, "preview": "1"}).content.decode()
    assert "Bekend van" in page
    assert "Lener4" in page
    assert not ValueDefinition.objects.filter(is_standard=False).exists()
    assert client.post(reverse("workbench:value_create"), FORMULA).status_code == 302
    value = ValueDefinition.objects.get(is_standard=False)
    assert value.terms == [{"weight": 2.5, "what": "quantity", "kinds": ["loan"], "months": 12}]
    address = reverse("workbench:value_change", args=[value.pk])
    assert "2,5" in client.get(address).content.decode()
    assert client.post(address, {**FORMULA, "months_0": "6"}).status_code == 302
    value.refresh_from_db()
    assert value.terms[0]["months"] == 6
    page = client.get(reverse("workbench:value_list")).content.decode()
    assert "2,5 × aantal stuks: Uitlening, in de afgelopen 6 maanden" in page
    client.post(reverse("workbench:value_remove", args=[value.pk]))
    assert not ValueDefinition.objects.filter(is_standard=False).exists()


@pytest.mark.parametrize(
    ("unit", "what", "said", "stored"),
    [
        ("cents", "amount", "1", 1),  # a euro that was paid is a euro
        ("cents", "count", "2,5", 250),  # 2.50 euro a time
        ("number", "amount", "1", 0.01),  # a point a euro
        ("days", "days", "3", 3),
    ],
)
def test_amounts_in_a_formula_are_said_in_euros_and_kept_in_cents(
    client: Client, unit: str, what: str, said: str, stored: float
) -> None:
    sent = {**FORMULA, "unit": unit, "what_0": what, "weight_0": said}
    assert client.post(reverse("workbench:value_create"), sent).status_code == 302
    value = ValueDefinition.objects.get(is_standard=False)
    assert value.terms[0]["weight"] == stored
    page = client.get(reverse("workbench:value_change", args=[value.pk])).content.decode()
    assert f'name="weight_0" value="{said}"' in page
    assert f"{said} × " in client.get(reverse("workbench:value_list")).content.decode()


@pytest.mark.parametrize(
    ("unit", "what", "said", "fits"),
    [
        ("number", "amount", "100000000", True),  # a million per cent
        ("number", "amount", "100000001", False),
        ("number", "count", "1000000", True),
        ("number", "count", "-1000000,5", False),
        ("cents", "count", "10000", True),
        ("cents", "count", "10001", False),
        ("cents", "count", "0,0000000001", True),
    ],
)
def test_a_part_weighs_as_much_as_can_be_stored_however_it_is_said(
    client: Client, unit: str, what: str, said: str, fits: bool
) -> None:
    sent = {**FORMULA, "unit": unit, "what_0": what, "weight_0": said}
    answer = client.post(reverse("workbench:value_create"), sent)
    assert answer.status_code == (302 if fits else 422)
    assert ("Vul hoogstens" in answer.content.decode()) == (not fits)
    if fits:
        address = reverse("workbench:value_change", args=[ValueDefinition.objects.get(is_standard=False).pk])
        weight = client.get(address).context["form"]["weight_0"]
        assert client.post(address, {**sent, "weight_0": localize_input(weight.value())}).status_code == 302


def test_the_first_part_asks_to_choose_and_others_may_be_left_out(client: Client) -> None:
    form = client.get(reverse("workbench:value_create")).context["form"]
    assert [str(dict(form.fields[f"what_{place}"].choices)[""]) for place in range(2)] == ["Kies…", "dit deel weglaten"]


@pytest.mark.parametrize(
    "wrong", [{"what_0": ""}, {"kinds_0": []}, {"months_0": "500"}, {"weight_0": "0"}, {"name": ""}]
)
def test_a_formula_that_is_none_is_sent_back(client: Client, wrong: dict[str, object]) -> None:
    response = client.post(reverse("workbench:value_create"), {**FORMULA, **wrong})
    assert response.status_code == 422
    assert not ValueDefinition.objects.filter(is_standard=False).exists()


def test_a_standard_value_keeps_its_name_in_each_language(client: Client) -> None:
    value = ValueDefinition.objects.get(code="customer-value")
    address = reverse("workbench:value_change", args=[value.pk])
    assert "Klantwaarde" in client.get(address).content.decode()
    sent = {
        **FORMULA,
        "name": "Klantwaarde",
        "unit": "cents",
        "what_0": "amount",
        "kinds_0": ["ticket"],
        "weight_0": "1",
    }
    assert client.post(address, sent).status_code == 302
    value.refresh_from_db()
    assert (value.name, value.terms[0]["kinds"]) == ("", ["ticket"])
    assert client.post(address, {**sent, "what_0": "days"}).status_code == 422


def test_the_page_of_a_customer_shows_computed_values(client: Client) -> None:
    customer = CustomerFactory()
    FactFactory(customer=customer, kind="ticket", amount_cents=12_345)
    create_value(
        name="Kaarten", unit="number", now=NOW,
        terms=[{"weight": 1, "what": "count", "kinds": ["ticket"], "months": 120}],
    )  # fmt: skip
    refresh_system_labels(now=NOW, due_key="1")
    page = client.get(reverse("workbench:customer_detail", args=[customer.pk])).content.decode()
    assert "Berekende waarden" in page
    assert "Kaarten" in page
    assert "€\u00a0123,45" in page
