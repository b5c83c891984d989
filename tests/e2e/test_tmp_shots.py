from __future__ import annotations


def test_shots(visit):
    bad = []
    for width in (360, 1440):
        for theme in ("light", "dark"):
            lang = "de-DE" if theme == "dark" else "en-GB"
            v = visit("Maren", language=lang, theme=theme, width=width)
            for n, q in enumerate(
                ("", "in:betrieb-offshore -is:unread from:maren", "form:anna is:x bremse", "bremse from:me")
            ):
                v.expected.append("422")
                v.page.goto(f"/o/nordlicht/search/?q={q}")
                v.page.screenshot(path=f"/tmp/search/s{width}-{theme}-{n}.png")
                bad += v.look()
            v.page.locator("#search-form input[name=q]").fill("")
            v.page.locator("#search-form input[name=q]").press_sequentially("-is:")
            v.page.wait_for_selector("[role=option]")
            v.page.screenshot(path=f"/tmp/search/s{width}-{theme}-c.png")
            v.page.keyboard.press("Escape")
            v.page.locator("[popovertarget=search-help]").click()
            v.page.screenshot(path=f"/tmp/search/s{width}-{theme}-h.png")
            bad += v.look()
    print("BAD", bad)
    assert not bad
