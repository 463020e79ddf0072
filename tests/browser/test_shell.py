"""The page's shell without Python: the worker is a stand-in, the test says what Python would say.

What a person notices: nothing jumps, nothing that is dragged or typed is taken away, nothing queues.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, Worker, expect

STAND_IN = """
self.log = [];
self.waiting = [];
self.onmessage = ({data}) => {
  self.log.push(data.type === 'files' ? {...data, files: data.files.map((file) => file.name)} : data);
  self.waiting = self.waiting.filter((check) => !check());
};
self.until = (name, count) => new Promise((resolve) => {
  const check = () => {
    const found = self.log.filter((one) => (one.message?.name ?? one.type) === name);
    if (found.length < count) return false;
    resolve(found.map((one) => one.message ?? one));
    return true;
  };
  if (!check()) self.waiting.push(check);
});
self.postMessage({type: 'listening'});
"""


EMPTY = {"bar": "", "sessions": "", "pane": "", "deck": ""}
"""The page's other regions, without the lists and controls that index.html has in them."""


class Shell:
    """The page, spoken to as Python would."""

    def __init__(self, page: Page, worker: Worker) -> None:
        self.page = page
        self._worker = worker
        self._painted = 0

    def patch(self, main: str | None = None, **more: Any) -> None:
        """Show this HTML in the main region, nothing in the others, and wait until the page has painted it."""
        self.tell(type="patch", regions={} if main is None else {**EMPTY, "main": main}, **more)
        self._painted += 1
        self.heard("painted", self._painted)

    def tell(self, **message: Any) -> None:
        self._worker.evaluate("(message) => self.postMessage(message)", message)

    def heard(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """The messages of this name, once there are so many."""
        found: list[dict[str, Any]] = self._worker.evaluate("([name, count]) => until(name, count)", [name, count])
        return found

    def so_far(self, name: str) -> list[dict[str, Any]]:
        """The messages of this name that came until now."""
        return self.heard(name, 0)

    def top(self, selector: str) -> float:
        """How far an element is below the top of the window, in pixels."""
        found: float = self.page.evaluate("(s) => document.querySelector(s).getBoundingClientRect().top", selector)
        return found


@pytest.fixture
def shell(page: Page, site: str) -> Shell:
    def stand_in(route: Route) -> None:
        route.fulfill(body=STAND_IN, content_type="text/javascript")

    page.context.route("**/assets/worker-*.js", stand_in)
    with page.expect_worker() as started:
        page.goto(f"{site}#/sessions/one")
    worker = started.value
    # The worker is there before the module that it imports.
    worker.evaluate(
        "() => new Promise((done) => { const look = () => self.until ? done() : setTimeout(look); look(); })"
    )
    return Shell(page, worker)


def rows(first: int, last: int, height: int = 40) -> str:
    return "".join(f'<p id="row-{n}" data-height="{height}">row {n}</p>' for n in range(first, last + 1))


def box(content: str, attributes: str = "") -> str:
    """A list that scrolls, 200 pixels high."""
    return f'<div id="box" class="scroll" data-height="200" {attributes}>{content}</div>'


@pytest.fixture
def scrolling(shell: Shell) -> Shell:
    """With the one style that a scroll container needs, whatever the page's own styles are."""
    shell.page.evaluate(
        """css => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(css);
          document.adoptedStyleSheets.push(sheet);
        }""",
        "#box {overflow-y: scroll; display: block; position: static; padding: 0; border: 0; flex: none}"
        "#box p {margin: 0; box-sizing: border-box; padding: 0; border: 0}",
    )
    return shell


def test_it_says_where_it_is_at_once(shell: Shell) -> None:
    [route] = shell.heard("route")
    assert route["hash"] == "#/sessions/one"
    assert {"now", "zone"} <= route.keys()
    shell.page.evaluate("location.hash = '#/sessions/two'")
    assert shell.heard("route", 2)[1]["hash"] == "#/sessions/two"


def test_a_patch_sets_regions_root_and_title(shell: Shell) -> None:
    shell.patch("<h1>Sessions</h1>", root={"data-ready": "true", "data-theme": "dark"}, title="One")
    expect(shell.page.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(shell.page.locator("html")).to_have_attribute("data-ready", "true")
    expect(shell.page).to_have_title("One")
    expect(shell.page.locator("#boot")).to_have_count(0)
    shell.patch(root={"data-theme": None})
    assert shell.page.evaluate("document.documentElement.hasAttribute('data-theme')") is False


def test_sizes_are_set_changed_and_taken_away(shell: Shell) -> None:
    shell.patch('<div id="a" data-height="33" data-width="50%"></div>')
    shell.patch('<div id="a" data-height="44"></div>')
    assert shell.page.evaluate("[a.style.height, a.style.width]") == ["44px", ""]


def test_the_first_visible_row_stays_where_it_is(scrolling: Shell) -> None:
    scrolling.patch(box(rows(10, 60), "data-anchor"))
    scrolling.page.evaluate("box.scrollTop = 415")
    before = scrolling.top("#row-20")
    scrolling.patch(box(rows(1, 60), "data-anchor"))
    assert scrolling.top("#row-20") == pytest.approx(before, abs=1)
    # The row at the edge goes away: the next one is kept in its place.
    gone = rows(1, 19) + rows(23, 60)
    before = scrolling.top("#row-23")
    scrolling.patch(box(gone, "data-anchor"))
    assert scrolling.top("#row-23") == pytest.approx(before, abs=1)


def test_it_stays_at_the_end_only_if_it_was_there(scrolling: Shell) -> None:
    scrolling.patch(box(rows(1, 20), 'data-stick="end" data-anchor'))
    scrolling.page.evaluate("box.scrollTop = box.scrollHeight")
    scrolling.patch(box(rows(1, 30), 'data-stick="end" data-anchor'))
    assert scrolling.page.evaluate("box.scrollHeight - box.scrollTop - box.clientHeight") <= 1
    scrolling.page.evaluate("box.scrollTop = 100")
    scrolling.patch(box(rows(1, 40), 'data-stick="end" data-anchor'))
    assert scrolling.page.evaluate("box.scrollTop") == 100


def test_a_scroll_position_is_applied_once_for_each_key(scrolling: Shell) -> None:
    scrolling.patch(box(rows(1, 50), 'data-scroll-top="400" data-scroll-key="a"'))
    assert scrolling.page.evaluate("box.scrollTop") == 400
    scrolling.page.evaluate("box.scrollTop = 120")
    scrolling.patch(box(rows(1, 50), 'data-scroll-top="400" data-scroll-key="a"'))
    assert scrolling.page.evaluate("box.scrollTop") == 120
    scrolling.patch(box(rows(1, 50), 'data-scroll-top="end" data-scroll-key="b"'))
    assert scrolling.page.evaluate("box.scrollTop + box.clientHeight") == 2000


def test_a_list_reports_its_height_and_its_scrolling(scrolling: Shell) -> None:
    scrolling.patch(box(rows(1, 50), 'data-scroll="rows"'))
    assert scrolling.heard("scroll")[0] == {"name": "scroll", "list": "rows", "top": 0, "height": 200}
    scrolling.page.evaluate("box.scrollTop = 300")
    assert scrolling.heard("scroll", 2)[1]["top"] == 300


SLIDER = '<input id="slider" type="range" aria-label="Position" min="0" max="100" value="{}" data-input="seek">'


def test_of_a_flood_only_the_newest_is_sent(shell: Shell) -> None:
    shell.patch(SLIDER.format(0))
    shell.page.evaluate(
        """() => { for (let n = 1; n <= 50; n++) {
             slider.value = n; slider.dispatchEvent(new Event('input', {bubbles: true})); } }"""
    )
    values = [message["value"] for message in shell.heard("seek", 2)]
    assert values == ["1", "50"], "the first at once, then the newest"


def test_a_click_is_heard_after_what_was_typed_before_it(shell: Shell) -> None:
    shell.patch('<input id="text" data-input="typed"><button data-click="go" data-arg="7">Go</button>')
    shell.page.evaluate(
        """() => { for (const value of ['a', 'ab', 'abc']) {
             text.value = value; text.dispatchEvent(new Event('input', {bubbles: true})); }
           document.querySelector('[data-click]').click(); }"""
    )
    assert shell.heard("go") == [{"name": "go", "arg": "7"}]
    assert shell.so_far("typed")[-1]["value"] == "abc"


def test_a_dragged_slider_is_the_users(shell: Shell) -> None:
    shell.patch(SLIDER.format(0))
    slider = shell.page.get_by_role("slider")
    place = slider.bounding_box()
    assert place
    middle = place["y"] + place["height"] / 2
    shell.page.mouse.move(place["x"] + place["width"] * 0.5, middle)
    shell.page.mouse.down()
    value = slider.input_value()
    assert value != "0"
    shell.patch(SLIDER.format(3))
    expect(slider).to_have_value(value)
    shell.page.mouse.up()
    shell.patch(SLIDER.format(4))
    expect(slider).to_have_value("4")
    expect(slider).to_be_focused()


def test_what_is_being_typed_stays(shell: Shell) -> None:
    shell.patch('<label>Search <input id="q" value="" data-input="search"></label>')
    shell.page.get_by_label("Search").press_sequentially("pars")
    shell.patch('<h2>Found</h2><label>Search <input id="q" value="p" data-input="search"></label>')
    expect(shell.page.get_by_label("Search")).to_have_value("pars")
    expect(shell.page.get_by_label("Search")).to_be_focused()


def test_a_select_and_a_checkbox_say_what_was_chosen_and_follow_python(shell: Shell) -> None:
    html = (
        '<select aria-label="Speed" data-change="speed"><option value="1"{}>1×</option><option value="2"{}>2×</option>'
        '</select><label><input type="checkbox" data-change="short"{}>Shorten</label>'
    )
    shell.patch(html.format(" selected", "", ""))
    shell.page.get_by_label("Speed").select_option("2")
    shell.page.get_by_label("Shorten").check()
    assert shell.heard("speed") == [{"name": "speed", "value": "2"}]
    assert shell.heard("short") == [{"name": "short", "value": "true"}]
    shell.patch(html.format(" selected", "", ""))
    expect(shell.page.get_by_label("Speed")).to_have_value("1")
    expect(shell.page.get_by_label("Shorten")).not_to_be_checked()


def test_details_say_when_the_user_opens_them_and_only_then(shell: Shell) -> None:
    html = '<details id="d" data-toggle="fold" data-arg="t1"{}><summary>More</summary>text</details>'
    shell.patch(html.format(""))
    shell.patch(html.format(" open"))
    shell.patch(html.format(""))
    shell.page.get_by_text("More").click()
    assert shell.heard("fold") == [{"name": "fold", "arg": "t1", "open": True}]


def test_what_comes_into_view_is_reported_again_with_a_new_arg(shell: Shell) -> None:
    shell.patch('<p id="more" data-see="near" data-arg="1">loading</p>')
    assert shell.heard("near")[0]["arg"] == "1"
    shell.patch('<p id="more" data-see="near" data-arg="1">still</p>')
    shell.patch('<p id="more" data-see="near" data-arg="2">loading</p>')
    assert [message["arg"] for message in shell.heard("near", 2)] == ["1", "2"]


def test_keys_go_to_python_unless_a_control_uses_them(shell: Shell) -> None:
    shell.patch(
        '<h1>Keys</h1><input aria-label="Text"><button data-click="pressed">Button</button>' + SLIDER.format(5),
        root={"data-keys": "Space ArrowRight k"},
    )
    keyboard = shell.page.keyboard
    shell.page.get_by_label("Text").press("k")
    shell.page.get_by_role("button").press("Space")
    shell.page.get_by_role("slider").press("ArrowRight")
    shell.page.evaluate("document.activeElement.blur()")
    keyboard.press("Control+k")
    keyboard.press("Space")
    keyboard.press("Shift+ArrowRight")
    assert [(one["key"], one["shift"]) for one in shell.heard("key", 2)] == [("Space", False), ("ArrowRight", True)]
    assert len(shell.heard("pressed")) == 1
    assert shell.heard("seek")[0]["value"] == "6"


def test_a_key_gives_its_field_the_focus_at_once_however_busy_python_is(shell: Shell) -> None:
    field = '<input id="filter" type="search" aria-label="Filter" data-key="/" data-input="filter">'
    shell.patch(field, root={"data-keys": "/ j"})
    shell.page.keyboard.type("/jelly")  # the stand-in for Python answers nothing
    expect(shell.page.get_by_label("Filter")).to_be_focused()
    expect(shell.page.get_by_label("Filter")).to_have_value("jelly")
    assert shell.so_far("key") == []


def test_letters_for_a_field_that_is_still_to_come_are_no_commands(shell: Shell) -> None:
    field = '<input id="filter" type="search" aria-label="Filter" data-key="/"{}>'
    shell.patch(field.format(" hidden"), root={"data-keys": "/ j Escape"})
    shell.page.keyboard.type("/jelly")
    assert [one["key"] for one in shell.heard("key")] == ["/"], "Python has to bring it"
    shell.tell(type="focus", id="filter")
    shell.page.keyboard.type("j")
    shell.patch(field.format(""))
    shell.page.keyboard.type("j")
    expect(shell.page.get_by_label("Filter")).to_have_value("j")
    assert len(shell.so_far("key")) == 1


def test_letters_for_a_dialog_that_is_still_to_come_are_no_commands(shell: Shell) -> None:
    button = '<button data-click="rename" data-opens>Rename</button>'
    dialog = '<dialog id="d" data-modal aria-label="Name"><input aria-label="Name" autofocus></dialog>'
    shell.patch(button, root={"data-keys": "j Escape"})
    shell.page.get_by_role("button", name="Rename").press("Enter")
    shell.page.keyboard.type("j")
    assert shell.heard("rename") == [{"name": "rename"}]
    shell.patch(button + dialog)
    shell.page.keyboard.type("j")
    expect(shell.page.get_by_role("textbox", name="Name")).to_have_value("j")
    shell.patch(button)
    shell.page.keyboard.type("j")
    assert [one["key"] for one in shell.heard("key")] == ["j"], "it is over"
    shell.page.get_by_role("button", name="Rename").press("Enter")
    shell.page.keyboard.press("Escape")
    shell.page.keyboard.type("j")
    assert [one["key"] for one in shell.heard("key", 3)] == ["j", "Escape", "j"], "nobody waits for it any more"


def test_files_are_taken_by_button_and_by_drop(shell: Shell) -> None:
    shell.patch('<input type="file" aria-label="Import" data-files="import" multiple>')
    field = shell.page.get_by_label("Import")
    field.set_input_files({"name": "a.jsonl", "mimeType": "text/plain", "buffer": b"{}"})
    assert shell.heard("files")[0]["files"] == ["a.jsonl"]
    expect(field).to_have_value("")
    shell.page.evaluate(
        """() => {
             const dataTransfer = new DataTransfer();
             dataTransfer.items.add(new File(['{}'], 'b.jsonl'));
             const drag = (kind) =>
               document.body.dispatchEvent(new DragEvent(kind, {dataTransfer, bubbles: true, cancelable: true}));
             drag('dragover');
             globalThis.during = document.documentElement.dataset.dropping;
             drag('drop');
           }"""
    )
    assert shell.heard("files", 2)[1] == {"type": "files", "action": "import", "files": ["b.jsonl"]}
    assert shell.page.evaluate("[during, document.documentElement.dataset.dropping ?? null]") == ["true", None]


def test_a_form_is_sent_to_python_and_nowhere_else(shell: Shell) -> None:
    shell.patch('<form data-submit="connect"><input name="url" value="http://x"><button>Connect</button></form>')
    shell.page.get_by_role("button", name="Connect").click()
    assert shell.heard("connect") == [{"name": "connect", "values": {"url": "http://x"}}]


def test_a_modal_dialog_takes_the_focus_and_gives_it_back(shell: Shell) -> None:
    button = '<button id="opener" data-click="open">Open</button>'
    dialog = '<dialog id="d" data-modal data-cancel="close" aria-label="Question"><button>Yes</button></dialog>'
    shell.patch(button)
    shell.page.get_by_role("button", name="Open").click()
    shell.patch(button + dialog)
    expect(shell.page.get_by_role("dialog")).to_be_visible()
    shell.patch(button + dialog)
    shell.page.keyboard.press("Escape")
    assert shell.heard("close") == [{"name": "close"}]
    expect(shell.page.get_by_role("dialog")).to_be_visible()
    shell.patch(button)
    expect(shell.page.get_by_role("button", name="Open")).to_be_focused()


def test_the_address_changes_without_a_message_when_replaced(shell: Shell) -> None:
    shell.tell(type="hash", value="#/sessions/one?event=5", replace=True)
    shell.patch("<p>here</p>")
    assert shell.page.evaluate("location.hash") == "#/sessions/one?event=5"
    assert len(shell.so_far("route")) == 1


def test_a_text_that_comes_in_pieces_is_downloaded_as_a_file(shell: Shell) -> None:
    """The first piece ends what a cancelled export has left, the last one saves the file."""
    shell.tell(type="download", name="cancelled.jsonl", text="left over", first=True)
    with shell.page.expect_download() as begun:
        shell.tell(type="download", name="one.jsonl", text='{"a": ', first=True)
        shell.tell(type="download", name="one.jsonl", text='"ä"}\n', last=True)
    assert begun.value.suggested_filename == "one.jsonl"
    assert begun.value.path().read_text(encoding="utf-8") == '{"a": "ä"}\n'


def test_nothing_of_python_runs_as_a_script(shell: Shell) -> None:
    shell.patch("<p>safe</p><script>globalThis.ran = true</script>")
    shell.patch("<script>globalThis.ran = true</script><p>safe</p>")
    assert shell.page.evaluate("globalThis.ran ?? null") is None
