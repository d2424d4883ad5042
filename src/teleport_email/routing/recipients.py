"""Who is told about a request, and why: from configuration, rules and suggested reviewers to addresses.

Pure: what has to be looked up (``names_to_look_up``) comes in as ``addresses`` and ``traits``. In order:

1. A request for nothing but excluded roles tells nobody.
2. The recipients of all Access Monitoring Rules that match replace everything else. One that is silent adds
   nobody: where no other has recipients, nobody is told.
3. Otherwise each requested role has its recipients (the most specific key of ``role_to_recipients``), those
   of ``recipients_annotation`` join them, and the suggested reviewers join all, replace all or are ignored.
4. Limits and refusals are applied; when nobody is left, ``fallback_recipient`` is told.

Two spellings are the same recipient when only the case of the domain differs. The local part is compared
as it was written: only its own mail system may say that ``Ann`` and ``ann`` are one (RFC 5321, 2.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.model import AccessRequest, replace
from teleport_email.routing import globs
from teleport_email.routing.candidates import (
    add_foreign,
    add_user,
    address_of,
    fall_back,
    is_allowed,
    route_to,
)
from teleport_email.routing.collection import Collection
from teleport_email.routing.route import Route, RuleVerdict, Skipped, listed, plain

if TYPE_CHECKING:
    from teleport_email.routing.rules import CompiledRule

ANYONE = "*"


def route(
    request: AccessRequest,
    delivery: DeliverySettings,
    role_to_recipients: Mapping[str, tuple[str, ...]],
    rules: Sequence[CompiledRule] = (),
    addresses: Mapping[str, str | None] | None = None,
    *,
    traits: Mapping[str, tuple[str, ...]] | None = None,
    labels: Sequence[Mapping[str, str]] | None = None,
    spelled: Mapping[str, str] | None = None,
    verdicts: Sequence[RuleVerdict] | None = None,
) -> Route:
    """Who is told about ``request``.

    ``addresses``: user name -> the address found for it, ``None`` when there is none; a name that is missing
    was not looked up. ``traits``: of the requester, for rules that ask for them; ``labels``: of each
    requested resource, likewise; ``None`` when not known. ``spelled``: how the configuration writes an
    address where that is another form of it. ``verdicts``: what :func:`judged` gave, where it was asked.
    Never raises for any request.
    """
    if is_excluded(request, delivery):
        return Route(excluded=True, skipped=_excluded_roles(request, delivery))
    addresses = addresses or {}
    if verdicts is None:
        verdicts = [each for piece in judged(request, delivery, rules, traits, labels) for each in piece]
    matched = tuple(verdict.name for verdict in verdicts if verdict.matched)
    matching = [rule for rule in sorted(rules, key=lambda rule: rule.name) if rule.name in frozenset(matched)]
    telling = [rule for rule in matching if not rule.silent]
    silent = len(telling) < len(matching)
    chosen = Collection()
    for rule in telling:
        _add_rule(chosen, rule, delivery, addresses)
    problem = ""
    if not matched:
        _add_configured(chosen, request, delivery, role_to_recipients, addresses)
    elif telling and not chosen.found:
        problem = f"no usable recipient in the matching rule {listed(plain(rule.name) for rule in telling)}"
        if not delivery.fallback_recipient and not silent:
            # The Go plugin goes on as if no rule had matched, and so nobody is left untold by a typing error.
            _add_configured(chosen, request, delivery, role_to_recipients, addresses)
    if delivery.skip_requester:
        _leave_out_requester(chosen, request, addresses)
    fallback = False
    if not chosen.found and not silent:
        problem, fallback = fall_back(chosen, delivery, problem or "no usable recipient", "nobody else")
    return replace(
        route_to(chosen, delivery, spelled),
        rules=matched,
        verdicts=tuple(verdicts),
        silenced=silent and not chosen.found and not problem,
        fallback=fallback,
        problem=problem,
    )


def judged(
    request: AccessRequest,
    delivery: DeliverySettings,
    rules: Sequence[CompiledRule],
    traits: Mapping[str, tuple[str, ...]] | None = None,
    labels: Sequence[Mapping[str, str]] | None = None,
) -> Iterator[list[RuleVerdict]]:
    """What becomes of each rule, by name, in pieces: between two of them others may have their turn.

    All together ask for ``Work.LIMIT`` at most; those that come behind it do not match, and are to blame.
    """
    if is_excluded(request, delivery) or not rules:
        return
    from teleport_email.routing.rules import SILENCE, Surroundings, Work  # most clusters have no rules

    surroundings = Surroundings(request, traits=traits, labels=labels)
    piece: list[RuleVerdict] = []
    left, done = Work.LIMIT, 0
    for place, rule in enumerate(sorted(rules, key=lambda rule: rule.name)):
        work = Work.shared(left, len(rules) - place)
        given, outcome = work.left, rule.judge(surroundings, work)
        spent = given - max(work.left, 0)
        left, done = left - spent, done + spent
        quiet = rule.silent and outcome.matched
        why = f'matches and tells nobody (label {SILENCE}: "true")' if quiet else outcome.why
        piece.append(RuleVerdict(rule.name, outcome.matched, why, outcome.faulty, rule.remarks))
        if done >= Work.SHARE:
            yield piece
            piece, done = [], 0
    yield piece


def names_to_look_up(
    request: AccessRequest,
    delivery: DeliverySettings,
    rules: Sequence[CompiledRule] = (),
    verdicts: Sequence[RuleVerdict] = (),
) -> tuple[str, ...]:
    """The user names whose address ``route`` would like to know; each once, in order."""
    if is_excluded(request, delivery):
        return ()
    wanted: list[str] = []
    matched = {verdict.name for verdict in verdicts if verdict.matched}
    for rule in sorted(rules, key=lambda rule: rule.name):
        if rule.name in matched and not rule.silent:
            wanted += rule.recipients
    if not matched:
        wanted += _annotated(request, delivery)
        if delivery.suggested_reviewers != "ignore":
            wanted += _considered(request, delivery)
    names = [name for name in map(str.strip, wanted) if name and address_of(name) is None]
    if delivery.skip_requester and request.user:
        # Also when the user name is an address: the trait may give another one.
        names.append(request.user)
    return tuple(dict.fromkeys(names))


def requester(request: AccessRequest, delivery: DeliverySettings, found: str | None) -> tuple[str, str]:
    """The requester's own address for ``delivery.notify_requester``, and why it is that or why there is none.

    ``found``: the address that their user has, where it was looked up.
    """
    own = address_of(request.user)
    if own is not None:
        return own, "user name"
    address = address_of(found or "")
    if address is None:
        return "", "no address is known"
    if not is_allowed(address, delivery):
        return "", "the domain of the user's address is not in delivery.allowed_domains"
    return address, f'user {request.user}, trait "email"'


def needs_traits(rules: Iterable[CompiledRule]) -> bool:
    """Whether any rule asks for the requester's traits."""
    return any("user.traits" in rule.uses for rule in rules)


def needs_labels(rules: Iterable[CompiledRule]) -> bool:
    """Whether any rule asks for the labels of the requested resources."""
    return any(
        name.startswith("access_request.spec.resource_labels_") for rule in rules for name in rule.uses
    )


def is_excluded(request: AccessRequest, delivery: DeliverySettings) -> bool:
    """Whether it is for nothing but ``delivery.exclude_roles``, so that nobody is told."""
    return bool(request.roles) and all(_excluding(role, delivery) is not None for role in request.roles)


def _excluding(role: str, delivery: DeliverySettings) -> str | None:
    return globs.most_specific(delivery.exclude_roles, role)


def _excluded_roles(request: AccessRequest, delivery: DeliverySettings) -> tuple[Skipped, ...]:
    return tuple(
        Skipped(f"role {role}", f'exclude_roles has "{_excluding(role, delivery)}"') for role in request.roles
    )


def _add_rule(
    chosen: Collection, rule: CompiledRule, delivery: DeliverySettings, addresses: Mapping[str, str | None]
) -> None:
    why = f'rule "{rule.name}"'
    for recipient in map(str.strip, rule.recipients):
        address = address_of(recipient)
        if address is not None:
            # Written by an administrator of the cluster, so allowed_domains does not concern it.
            chosen.add(address, why, recipient)
        elif not recipient:
            chosen.skip(recipient, f"{why}: an empty recipient")
        else:
            add_user(chosen, recipient, why, delivery, addresses)


def _add_configured(
    chosen: Collection,
    request: AccessRequest,
    delivery: DeliverySettings,
    role_to_recipients: Mapping[str, tuple[str, ...]],
    addresses: Mapping[str, str | None],
) -> None:
    suggested = Collection(skipped=chosen.skipped)
    if delivery.suggested_reviewers == "ignore":
        for reviewer in request.suggested_reviewers:
            chosen.skip(reviewer, 'suggested reviewer, but delivery.suggested_reviewers is "ignore"')
    else:
        _add_suggested(suggested, request, delivery, addresses)
    if not (delivery.suggested_reviewers == "only" and suggested.found):
        # Without a usable suggestion "only" must not mean that nobody hears of the request.
        _add_roles(chosen, request, role_to_recipients)
        for value in _annotated(request, delivery):
            why = f'annotation "{delivery.recipients_annotation}"'
            add_foreign(chosen, value, why, delivery, addresses)
    chosen.take(suggested)


def _add_roles(
    chosen: Collection, request: AccessRequest, role_to_recipients: Mapping[str, tuple[str, ...]]
) -> None:
    # A key without recipients counts as no key, as in the Go plugin.
    filled = {key: recipients for key, recipients in role_to_recipients.items() if recipients}
    roles_of: dict[str, list[str]] = {}
    for role in dict.fromkeys(request.roles) or (ANYONE,):
        key = globs.most_specific(filled, role)
        if key is None:
            chosen.skip(f"role {role}", "no key of role_to_recipients fits")
        else:
            roles_of.setdefault(key, []).append(role)
    for key, roles in roles_of.items():
        why = f'role_to_recipients "{key}"'
        if request.roles and roles != [key]:
            why += f" for role{'s' if len(roles) > 1 else ''} {listed(roles)}"
        for recipient in filled[key]:
            address = address_of(recipient)
            if address is None:
                chosen.skip(recipient, f"{why}: not an email address")
            else:
                chosen.add(address, why)


def _add_suggested(
    chosen: Collection,
    request: AccessRequest,
    delivery: DeliverySettings,
    addresses: Mapping[str, str | None],
) -> None:
    considered = _considered(request, delivery)
    for reviewer in considered:
        add_foreign(chosen, reviewer, "suggested reviewer", delivery, addresses)
    for reviewer in request.suggested_reviewers:
        if reviewer.strip() and reviewer.strip() not in considered:
            chosen.skip(
                reviewer,
                f"suggested reviewer beyond the first {delivery.max_suggested_reviewers} "
                "(delivery.max_suggested_reviewers)",
            )


def _considered(request: AccessRequest, delivery: DeliverySettings) -> tuple[str, ...]:
    distinct = dict.fromkeys(name for name in map(str.strip, request.suggested_reviewers) if name)
    return tuple(distinct)[: delivery.max_suggested_reviewers]


def _annotated(request: AccessRequest, delivery: DeliverySettings) -> tuple[str, ...]:
    if not delivery.recipients_annotation:
        return ()
    values = request.system_annotations.get(delivery.recipients_annotation, ())
    return tuple(dict.fromkeys(value for value in map(str.strip, values) if value))


def _leave_out_requester(
    chosen: Collection, request: AccessRequest, addresses: Mapping[str, str | None]
) -> None:
    # Compared without case, because identity providers and configurations seldom agree on it.
    own = {
        address.lower()
        for address in (address_of(request.user), address_of(addresses.get(request.user) or ""))
        if address is not None
    }
    for key, (address, _) in list(chosen.found.items()):
        if address.lower() in own:
            del chosen.found[key]
            chosen.skip(address, "the requester (delivery.skip_requester)")
