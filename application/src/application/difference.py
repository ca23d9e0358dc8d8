"""What differs between two bundles: in words, and line by line."""

import difflib

from application.bundle import Bundle, Files, Profile, bundle_of
from application.errors import Misconfigured


def in_words(before: Files, after: Files, profile: Profile) -> list[str]:
    """What differs, a sentence each; nothing where only comments or layout do."""
    try:
        old, new = bundle_of(before, profile), bundle_of(after, profile)
    except Misconfigured as error:
        return [str(error)]
    said = [
        f"{name}: {old.settings.get(name, 'unset')} -> {new.settings.get(name, 'unset')}"
        for name in sorted(old.settings | new.settings)
        if old.settings.get(name) != new.settings.get(name)
    ]
    for name in sorted(old.prompts | new.prompts):
        was, now = _version(old, name), _version(new, name)
        if was != now:
            said.append(f"prompt {name}: {was} -> {now}")
        elif old.prompts[name] != new.prompts[name]:
            said.append(f"prompt {name} {now} was edited in place")
    return said


def unified(before: Files, after: Files) -> str:
    """The same as a unified diff."""
    return "".join(
        line
        for name in sorted(before | after)
        for line in difflib.unified_diff(
            _lines(before, name), _lines(after, name), f"a/{name}", f"b/{name}"
        )
    )


def _version(bundle: Bundle, name: str) -> str:
    return bundle.prompts[name].version if name in bundle.prompts else "none"


def _lines(files: Files, name: str) -> list[str]:
    return files.get(name, b"").decode(errors="replace").splitlines(keepends=True)
