"""What lowered hooks do when they run: every operation that decides what runs, and every kind of variable."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.program import Chunk
from compiler.diagnostics import codes
from compiler.language.faults import Fault, OutOfFuel
from compiler.language.values import Value
from tests.compiler.routes import Connection, compiled, connect, connect_hooks, route, slots_of


def log(expression: str) -> str:
    """An operation that logs an expression's value."""
    return f"- Log: {{message: {json.dumps(f'{{{{ {expression} }}}}', ensure_ascii=False)}}}"


def logged(on_message: str, message: Value = None) -> list[Value]:
    """What an on_message logs that is run once."""
    return connect_hooks(on_message).logged(message=message)


def code_of(on_message: str, hook: str = "on_message") -> list[str]:
    """The opcodes of a hook."""
    chunk = connect_hooks(on_message).route.program.hooks[hook]
    return [instruction.opcode.name for instruction in chunk.code]


# Alternatives.


@pytest.mark.parametrize(
    ("message", "said"), [("a", ["then", "after"]), ("b", ["else", "after"]), ("c", ["else", "after"])]
)
def test_if_runs_one_of_two(message: str, said: list[str]) -> None:
    hook = """
    - If:
        condition: "{{ message == 'a' }}"
        then: [{Log: {message: then}}]
        else: [{Log: {message: else}}]
    - Log: {message: after}
    """
    assert logged(hook, message=message) == said


@pytest.mark.parametrize("leaves", ["then", "else"])
def test_one_branch_that_leaves_does_not_end_the_other(leaves: str) -> None:
    stays = "else" if leaves == "then" else "then"
    hook = f"""
    - If: {{condition: "message == 'then'", {leaves}: [{{Return: {{}}}}], {stays}: [{{Log: {{message: stays}}}}]}}
    - Log: {{message: after}}
    """
    assert logged(hook, message=stays) == ["stays", "after"]
    assert logged(hook, message=leaves) == []


@pytest.mark.parametrize(
    ("value", "taken"),
    [(0, False), ("", False), (None, False), (False, False), ("0", True), ([], True), ({}, True), (-1, True)],
)
def test_a_condition_is_true_by_truth(value: Value, taken: bool) -> None:
    hook = "codec: json", '- If: {condition: "message", then: [{Log: {message: taken}}]}'
    connection = connect(route(hook[1], keys=hook[0]))
    assert connection.logged(message=value) == (["taken"] if taken else [])


@pytest.mark.parametrize(
    ("message", "said"),
    [("1", ["one"]), ("2", ["two"]), ("02", ["two"]), ("b", ["b"]), ("z", ["default"]), ("first", ["one"])],
)
def test_switch_runs_the_first_equal_case(message: str, said: list[str]) -> None:
    hook = """
    - Switch:
        value: "{{ message == 'first' ? 1 : message }}"
        cases:
          - {value: 1, operations: [{Log: {message: one}}]}
          - {value: 1, operations: [{Log: {message: never}}]}
          - {value: "{{ 1 + 1 }}", operations: [{Log: {message: two}}]}
          - {case: b, actions: [{Log: {message: b}}]}
        default: [{Log: {message: default}}]
    """
    assert logged(hook, message=message) == said


@pytest.mark.parametrize("count", [1, 3, 4, 40, 1500])
def test_a_switch_of_any_length_finds_every_case(count: int) -> None:
    cases = "\n".join(f"      - {{value: c{n}, operations: [{{Log: {{message: l{n}}}}}]}}" for n in range(count))
    hook = f'- Switch:\n    value: "{{{{ message }}}}"\n    cases:\n{cases}\n    default: [{{Log: {{message: other}}}}]'
    connection = connect_hooks(hook)
    for n in {0, count // 2, count - 1}:
        assert connection.logged(message=f"c{n}") == [f"l{n}"]
    assert connection.logged(message="c") == ["other"]


def test_what_every_branch_sets_is_set() -> None:
    hook = """
    - Switch:
        value: "{{ message }}"
        cases:
          - {value: a, operations: [{SetVar: {name: x, value: 1}}]}
          - {value: b, operations: [{SetVar: {name: x, value: 2}}]}
          - {value: c, operations: [{Return: {value: gone}}]}
          - {value: d, operations: [{Throw: {message: gone}}]}
        default: [{SetVar: {name: x, value: 3}}]
    - Log: {message: "{{ x }}"}
    """
    assert slots_of(hook) == []
    assert [connect_hooks(hook).run(message=m)[-1][-1] for m in "abcx"] == ["1", "2", "gone", "3"]


# Loops.


def test_while_goes_on_while_its_condition_holds() -> None:
    hook = """
    - SetVar: {name: n, value: 3}
    - While:
        condition: "n > 0"
        body:
          - Log: {message: "{{ n }}"}
          - SetVar: {name: n, value: "{{ n - 1 }}"}
    """
    assert logged(hook) == ["3", "2", "1"]


@pytest.mark.parametrize(("rounds", "faults"), [(3, False), (2, True), (0, True)])
def test_while_ends_in_loop_limit(rounds: int, faults: bool) -> None:
    hook = f"""
    - SetVar: {{name: n, value: 3}}
    - While:
        condition: "n > 0"
        max_iterations: {rounds}
        body: [{{SetVar: {{name: n, value: "{{{{ n - 1 }}}}"}}}}, {{Log: {{message: round}}}}]
    """
    connection = connect_hooks(hook)
    if not faults:
        assert connection.logged() == ["round"] * 3
        return
    with pytest.raises(Fault) as caught:
        connection.run()
    assert (caught.value.kind, len(connection.host.asked)) == (codes.LOOP_LIMIT, rounds)


def test_loop_knows_where_it_is() -> None:
    hook = """
    - Loop:
        collection: "{{ ['a', 'b', 'c'] }}"
        body:
          - Log: {message: "{{ item }} {{ index }} {{ loop.index }} {{ loop.counter }} {{ loop['total'] }}
              {{ loop.is_first }} {{ (loop).is_last }}"}
    """
    assert logged(hook) == ["a 0 0 1 3 true false", "b 1 1 2 3 false false", "c 2 2 3 3 false true"]


def test_loop_as_a_value_is_an_object() -> None:
    hook = '- Loop: {collection: [x], body: [{Return: {value: "{{ loop }}"}}]}'
    whole = {"index": 0, "counter": 1, "total": 1, "is_first": True, "is_last": True}
    assert connect_hooks(hook).run() == [("return", whole)]


@pytest.mark.parametrize("key", ["index", "counter", "total", "is_first", "is_last"])
@pytest.mark.parametrize("form", ["loop.{}", "loop?.{}", "loop['{}']", "(loop).{}"])
def test_a_member_of_loop_needs_no_object(form: str, key: str) -> None:
    hook = "- Loop: {collection: [x], body: [" + '{Log: {message: "{{ ' + form.format(key) + ' }}"}}]}'
    assert "OBJECT" not in code_of(hook)


@pytest.mark.parametrize(
    ("collection", "rounds"), [("null", 0), ("[]", 0), ('"{{ message }}"', 2), ("[1, [2], {a: 3}]", 3)]
)
def test_loop_takes_lists_and_null(collection: str, rounds: int) -> None:
    hook = f"- Loop: {{collection: {collection}, body: [{{Log: {{message: round}}}}]}}"
    connection = connect(route(hook, keys="codec: json"))
    assert len(connection.logged(message=[1, 2])) == rounds


def test_loop_takes_nothing_else() -> None:
    connection = connect(route('- Loop: {collection: "message", body: [{Log: {message: x}}]}', keys="codec: json"))
    with pytest.raises(Fault) as caught:
        connection.run(message={"a": 1})
    assert caught.value.kind is codes.TYPE_ERROR


def test_loop_variables_hide_others_and_end() -> None:
    hook = """
    - SetVar: {name: item, value: outer}
    - SetVar: {name: index, value: outer index}
    - Loop:
        collection: [1, 2]
        body:
          - Log: {message: "{{ item }} {{ index }}"}
          - SetVar: {name: item, value: "{{ item * 10 }}"}
          - SetVar: {name: index, value: "{{ index + 5 }}"}
          - Log: {message: "{{ item }} {{ index }} {{ loop.index }}"}
    - Log: {message: "{{ item }} {{ index }}"}
    """
    assert logged(hook) == ["1 0", "10 5 0", "2 1", "20 6 1", "outer outer index"]


def test_a_hidden_variable_of_the_connection_is_back_in_the_next_hook() -> None:
    connection = connect_hooks(
        on_connect="- SetVar: {name: item, value: kept}",
        on_message=f"""
        - Loop: {{collection: [1], body: [{{SetVar: {{name: item, value: x}}}}, {log("item")[2:]}]}}
        {log("item")}
        """,
    )
    connection.run("on_connect")
    assert connection.logged() == ["x", "kept"]
    assert connection.slots == ["kept"]


def test_nested_loops_have_each_their_own() -> None:
    hook = """
    - Loop:
        collection: [a, b]
        var: outer
        body:
          - Loop:
              collection: [1, 2]
              var: inner
              index_var: place
              body: [{Log: {message: "{{ outer }}{{ inner }} {{ index }} {{ place }} {{ loop.index }}"}}]
          - Log: {message: "{{ loop.index }}"}
    """
    assert logged(hook) == ["a1 0 0 0", "a2 0 1 1", "0", "b1 1 0 0", "b2 1 1 1", "1"]


def test_loops_of_one_name_nest() -> None:
    hook = """
    - Loop:
        collection: [[1, 2], [3]]
        body:
          - Loop: {collection: "item", body: [{Log: {message: "{{ item }}"}}]}
          - Log: {message: "{{ item }}"}
    """
    assert logged(hook) == ["1", "2", "[1,2]", "3", "[3]"]


def test_a_loop_variable_may_be_called_message() -> None:
    hook = """
    - Loop:
        collection: [1]
        var: message
        body: [{SetVar: {name: message, value: "{{ message + 1 }}"}}, {Log: {message: "{{ message }}"}}]
    """
    assert logged(dedent(hook) + log("message"), message="sent") == ["2", "sent"]
    connection = connect_hooks(on_connect=hook)
    assert connection.logged("on_connect") == ["2"]


def test_results_go_to_loop_variables_too() -> None:
    hook = """
    - Loop:
        collection: [1]
        body: [{WsOp: {command: send, message: hi, output_var: item}}, {Log: {message: "{{ item }}"}}]
    """
    connection = connect_hooks(hook)
    connection.host.replies["send"] = 7
    assert connection.logged() == ["7"]


def test_break_and_continue_go_to_the_innermost_loop() -> None:
    hook = """
    - Loop:
        collection: [1, 2]
        var: a
        body:
          - Loop:
              collection: [1, 2, 3, 4]
              var: b
              body:
                - If: {condition: "b == 2", then: [{Continue: {}}]}
                - If: {condition: "b == 4", then: [{Break: {}}]}
                - Log: {message: "{{ a }}{{ b }}"}
    """
    assert logged(hook) == ["11", "13", "21", "23"]


def test_continue_of_a_while_tests_again() -> None:
    hook = """
    - SetVar: {name: n, value: 0}
    - While:
        condition: "n < 3"
        body:
          - SetVar: {name: n, value: "{{ n + 1 }}"}
          - If: {condition: "n == 2", then: [{Continue: {}}]}
          - Log: {message: "{{ n }}"}
    """
    assert logged(hook) == ["1", "3"]


def test_loops_cost_fuel() -> None:
    hook = '- Loop: {collection: "{{ range(0, 100) }}", body: [{Comment: {text: round}}]}'
    assert connect(route(hook), fuel=100).run() == []
    with pytest.raises(OutOfFuel):
        connect(route(hook), fuel=99).run()


# Try, Throw, Return.


def test_catch_sees_the_error() -> None:
    hook = """
    - Try:
        operations:
          - Log: {message: before}
          - Throw: {message: "no {{ message }}", code: "no_{{ message }}"}
        catch:
          - Log: {message: "{{ error }}|{{ error.message }}|{{ error.code }}|{{ error.source }}|{{ error.line }}"}
    - Log: {message: after}
    """
    assert logged(hook, message="room") == ["before", "no room|no room|no_room|Throw|9", "after"]


@pytest.mark.parametrize(
    ("operation", "code", "source"),
    [
        ("{Throw: {message: m}}", "thrown", "Throw"),
        ('{Log: {message: "{{ message - 1 }}"}}', "type_error", "Log"),
        ('{SetVar: {name: v, value: "{{ 1 / (message | length - 1) }}"}}', "division_by_zero", "SetVar"),
        (
            "{WsOp: {command: broadcast, message: m, channel: \"{{ message | replace('x', ' ') }}\"}}",
            "empty_channel",
            "WsOp",
        ),
        ('{Log: {message: "{{ never }}"}}', "undefined_variable", "Log"),
        (
            '{While: {condition: "message", max_iterations: 1, body: [{SetVar: {name: message, value: y}}]}}',
            "loop_limit",
            "While",
        ),
        ('{Loop: {collection: "message | length", body: [{Log: {message: l}}]}}', "type_error", "Loop"),
    ],
)
def test_the_code_and_source_of_a_fault(operation: str, code: str, source: str) -> None:
    hook = f"""
    - Try:
        operations: [{operation}]
        catch: [{{Log: {{message: "{{{{ error.code }}}} {{{{ error.source }}}}"}}}}]
    - If: {{condition: "message == 'set'", then: [{{SetVar: {{name: never, value: 1}}}}]}}
    """
    if code == "type_error" and source == "Loop":
        hook = hook.replace("message | length", "message | get('n')")
        assert connect(route(hook, keys="codec: json")).logged(message={"n": 3}) == [f"{code} {source}"]
    else:
        assert logged(hook, message="x") == [f"{code} {source}"]


def test_a_fault_of_the_host_is_caught_too() -> None:
    hook = """
    - Try:
        operations: [{WsOp: {command: subscribe, channel: a}}]
        catch: [{Log: {message: "{{ error.code }}"}}]
    """
    connection = connect_hooks(hook)
    connection.host.replies["subscribe"] = Fault(codes.CHANNEL_LIMIT, "too many")
    assert connection.logged() == ["channel_limit"]


def test_an_error_in_catch_goes_outward_and_finally_runs() -> None:
    hook = """
    - Try:
        operations:
          - Try:
              operations: [{Throw: {message: first}}]
              catch: [{Throw: {message: "second, after {{ error }}"}}]
              finally: [{Log: {message: inner finally}}]
        catch: [{Log: {message: "{{ error }}"}}]
        finally: [{Log: {message: outer finally}}]
    """
    assert logged(hook) == ["inner finally", "second, after first", "outer finally"]


def test_nested_catches_have_each_their_error() -> None:
    hook = """
    - Try:
        operations: [{Throw: {message: outer}}]
        catch:
          - Try:
              operations: [{Throw: {message: inner}}]
              catch: [{Log: {message: "{{ error }}"}}]
          - Log: {message: "{{ error }}"}
    """
    assert logged(hook) == ["inner", "outer"]


@pytest.mark.parametrize(
    ("leave", "said"),
    [
        ("Return: {value: gone}", ["finally", "gone"]),
        ("Break: {}", ["finally", "after"]),
        ("Continue: {}", ["finally", "finally", "after"]),
        ("Comment: {}", ["rest", "finally", "rest", "finally", "after"]),
    ],
)
def test_finally_runs_on_every_way_out(leave: str, said: list[str]) -> None:
    hook = f"""
    - Loop:
        collection: [1, 2]
        body:
          - Try:
              operations:
                - If: {{condition: "item > 0", then: [{{{leave}}}]}}
                - Log: {{message: rest}}
              finally: [{{Log: {{message: finally}}}}]
    - Log: {{message: after}}
    """
    assert [asked[-1] for asked in connect_hooks(hook).run()] == said


def test_finally_sees_what_the_others_set() -> None:
    hook = """
    - Try:
        operations: [{SetVar: {name: step, value: 1}}, {Throw: {message: m}}]
        catch: [{SetVar: {name: step, value: "{{ step + 1 }}"}}]
        finally: [{Log: {message: "{{ step }}"}}]
    """
    assert logged(hook) == ["2"]


@pytest.mark.parametrize(
    "around",
    [
        "%s",
        "- If: {condition: \"message == 'x'\", then: [%s]}",
        "- Loop: {collection: [1, 2], body: [%s]}",
        "- While: {condition: \"message == 'x'\", body: [%s]}",
        "- Try: {operations: [%s], catch: [{Log: {message: caught}}]}",
        "- Try: {operations: [{Throw: {message: m}}], catch: [%s]}",
        "- Try: {operations: [{Log: {message: l}}], finally: [%s]}",
        '- Switch: {value: "{{ message }}", cases: [{value: x, operations: [%s]}]}',
    ],
)
def test_return_ends_the_hook_from_anywhere(around: str) -> None:
    leave = 'Return: {value: "{{ [message] }}"}'
    hook = around % (f"{{{leave}}}" if "[%s]" in around else f"- {leave}")
    connection = connect_hooks(f"{hook}\n" + ("" if around == "%s" else "- Log: {message: never}"))
    assert connection.run(message="x")[-1] == ("return", ["x"])
    assert ("log", "info", "never") not in connection.host.asked
    assert ("log", "info", "caught") not in connection.host.asked


def test_return_in_finally_wins() -> None:
    hook = """
    - Try:
        operations: [{Return: {value: first}}]
        finally: [{Return: {value: last}}]
    """
    assert connect_hooks(hook).run() == [("return", "last")]


def test_what_can_never_run_is_dropped() -> None:
    hook = "- Return: {value: x}\n- Log: {message: never}\n- Loop: {collection: [1], body: [{Log: {message: y}}]}"
    assert code_of(hook) == ["CONST", "RETURN"]


def test_comments_compile_to_nothing() -> None:
    hook = "- Comment: {text: why}\n- Log: {message: x}\n- Comment: {}"
    assert code_of(hook) == code_of("- Log: {message: x}")
    assert code_of("- Comment: {}") == []


# Variables.


def test_message_is_assignable_for_the_rest_of_the_run() -> None:
    connection = connect_hooks(
        f"{log('message')}\n- SetVar: {{name: message, value: '{{{{ message }}}}!'}}\n{log('message')}"
    )
    assert connection.logged(message="a") == ["a", "a!"]
    assert connection.logged(message="b") == ["b", "b!"]
    assert connection.slots == []


def test_message_assigned_on_one_path_only() -> None:
    hook = "- If: {condition: \"message == ''\", then: [{SetVar: {name: message, value: none}}]}\n" + log("message")
    assert [logged(hook, message=sent) for sent in ("", "some")] == [["none"], ["some"]]


def test_output_var_holds_the_reply() -> None:
    hook = f"- WsOp: {{command: broadcast, message: hi, output_var: count}}\n{log('count + 1')}"
    connection = connect_hooks(hook)
    connection.host.replies["broadcast"] = 4
    assert connection.logged() == ["5"]


@pytest.mark.parametrize(
    ("hooks", "slots"),
    [
        ({"on_message": "- set: {var: x, value: 1}\n" + log("x")}, []),
        ({"on_message": "- set: {var: x, value: 1}"}, []),
        ({"on_message": log("x ?? 0") + "\n- set: {var: x, value: 1}"}, ["x"]),
        ({"on_connect": "- set: {var: x, value: 1}", "on_message": log("x")}, ["x"]),
        ({"on_connect": "- set: {name: x, value: 1}", "on_message": "- SetVar: {name: x, value: 2}\n" + log("x")}, []),
        ({"on_connect": "- set: {var: x, value: 1}\n" + log("x"), "on_disconnect": log("x")}, ["x"]),
        ({"on_message": "- Try: {operations: [{set: {var: x, value: 1}}], catch: []}\n" + log("x")}, ["x"]),
        ({"on_message": "- Try: {operations: [{set: {var: x, value: 1}}], catch: [{Return: {}}]}\n" + log("x")}, []),
        ({"on_message": "- Try: {operations: [], finally: [{set: {var: x, value: 1}}]}\n" + log("x")}, []),
        ({"on_connect": "- set: {var: b, value: 1}\n- set: {var: a, value: 1}", "on_message": log("a+b")}, ["b", "a"]),
    ],
)  # fmt: skip
def test_only_what_outlives_a_run_is_a_slot(hooks: dict[str, str], slots: list[str]) -> None:
    assert slots_of(**hooks) == slots


def test_variables_live_from_hook_to_hook() -> None:
    connection = connect_hooks(
        on_connect="- SetVar: {name: score, value: '0'}",
        on_message=f"- SetVar: {{name: score, value: '{{{{ score + 1 }}}}'}}\n{log('score')}",
        on_disconnect=log("score"),
    )
    connection.run("on_connect")
    assert [connection.logged(), connection.logged(), connection.logged("on_disconnect")] == [["1"], ["2"], ["2"]]


def test_a_variable_that_is_not_set_faults() -> None:
    connection = connect_hooks(
        "- If: {condition: \"message == 'set'\", then: [{SetVar: {name: x, value: 1}}]}\n" + log("x")
    )
    with pytest.raises(Fault) as caught:
        connection.run(message="")
    assert caught.value.kind is codes.UNDEFINED_VARIABLE
    assert connection.logged(message="set") == ["1"]
    assert connection.logged(message="") == ["1"]


UNSET = (
    '- If: {condition: "message == \'set\'", then: [{SetVar: {name: x, value: "{{ params.room | json_parse }}"}}]}\n'
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("x ?? 'none'", "none"),
        ("(x) ?? 'none'", "none"),
        ("x.a.b ?? 'none'", "none"),
        ("x['a'].b ?? 'none'", "none"),
        ("(x.a).b ?? 'none'", "none"),
        ("x.a[0].b ?? 'none'", "none"),
        ("x | default('none')", "none"),
        ("default(x.a, 'none')", "none"),
        ("x.a | default('none') | upper", "NONE"),
        ("x ?? null ?? 'none'", "none"),
        ("true ? x ?? 1 : 2", "1"),
        ("[x ?? 1, x.y ?? 2]", "[1,2]"),
    ],
)
def test_an_unset_variable_is_excused_on_the_left_of_a_default(expression: str, value: str) -> None:
    assert logged(UNSET + log(expression), message="") == [value]


@pytest.mark.parametrize(
    "expression",
    ["x + 1 ?? 2", "-x ?? 2", "(x | length) ?? 2", "[x] ?? 2", "null ?? 2 == x", "x?.a", "'a' == x ?? 2", "null ?? x"],
)
def test_nothing_else_excuses_an_unset_variable(expression: str) -> None:
    with pytest.raises(Fault) as caught:
        logged(UNSET + log(expression), message="")
    assert caught.value.kind is codes.UNDEFINED_VARIABLE


def test_what_belongs_to_another_hook_is_null_under_a_default() -> None:
    connection = connect_hooks(on_connect=log("message ?? 'nothing'") + "\n" + log("close_code | default(1)"))
    assert connection.logged("on_connect") == ["nothing", "1"]


# Inner expressions.


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("message | map('price * 2')", "[2,4]"),
        ("message | map('item.price')", "[1,2]"),
        ("message | filter('price > 1') | map('name')", '["b"]'),
        ("message | sum('price * 10')", "30"),
        ("message | avg('price')", "1.5"),
        ("message | sort('-price') | first", '{"name":"b","price":2}'),
        ("[[1, 2], [3]] | map('item | sum')", "[3,3]"),
        ("[[1, 2], [3]] | map(\"item | map('item * 2')\")", "[[2,4],[6]]"),
        (r"""[[[1]], [[2]]] | map("item | map('item | map(\\'item + 1\\')')")""", "[[[2]],[[3]]]"),
        ("message | map('nick ?? name')", '["a","b"]'),
        ("[{a: null}, {}] | map('a.b ?? 7')", "[7,7]"),
        ("[null] | map('x ?? 3')", "[3]"),
        ("['it'] | map('item + \\'s\\'')", '["its"]'),
        ("message | map(('name'))", '["a","b"]'),
        ("map(message, 'name')", '["a","b"]'),
        ("[1] | map('message ?? \\'own\\'') ", None),
    ],
)  # fmt: skip
def test_inner_expressions(expression: str, value: str | None) -> None:
    connection = connect(route(log(expression), keys="codec: json"))
    items: Value = [{"name": "a", "price": 1}, {"name": "b", "price": 2}]
    if value is None:
        with pytest.raises(Fault):
            connection.run(message=items)
    else:
        assert connection.logged(message=items) == [value]


def test_inner_expressions_cost_fuel() -> None:
    hook = log("range(0, 10) | map('item')")
    assert connect(route(hook), fuel=10).logged() == ["[0,1,2,3,4,5,6,7,8,9]"]
    with pytest.raises(OutOfFuel):
        connect(route(hook), fuel=9).run()


# Values, texts, places.


def test_values_are_walked_and_keep_their_kinds() -> None:
    hook = """
    - SetVar:
        name: v
        value: {n: 1, t: "{{ message }}", l: ["{{ 1 + 1 }}", "{{ message }}!", null, true, 1.5], "{{ x }}": {}, e: []}
    - Return: {value: "{{ v }}"}
    """
    expected = {"n": 1, "t": "m", "l": [2, "m!", None, True, 1.5], "{{ x }}": {}, "e": []}
    assert connect_hooks(hook).run(message="m") == [("return", expected)]


@pytest.mark.parametrize("form", ["expression", "value"])
def test_deep_values_need_no_stack(form: str) -> None:
    nested = "[" * 150 + "1" + "]" * 150
    hook = f'- Return: {{value: "{{{{ {nested} }}}}"}}' if form == "expression" else f"- Return: {{value: {nested}}}"
    value = connect_hooks(hook).run()[0][1]
    for _ in range(150):
        (value,) = value
    assert value == 1


def chunk_of(text: str, hook: str = "on_message") -> Chunk:
    program = compiled(text).program
    assert program is not None
    return program.routes[0].hooks[hook]


def places(text: str, opcode: Opcode) -> list[str]:
    """The source texts of all instructions of one kind."""
    chunk = chunk_of(text)
    lines = text.split("\n")
    marks = [chunk.source_map.marks[pc] for pc, row in enumerate(chunk.code) if row.opcode is opcode]
    return [lines[mark.line - 1][mark.column - 1 : mark.end_column - 1] for mark in marks]


@pytest.mark.parametrize(
    ("expression", "opcode", "place"),
    [
        ("1 + message * 2", Opcode.MUL, "message * 2"),
        ("message.a.b", Opcode.MEMBER, "message.a"),
        ("message[0]", Opcode.INDEX, "message[0]"),
        ("message | upper | lower", Opcode.CALL, "message | upper"),
        ("true && message", Opcode.AND, "true && message"),
        ("message ? 1 : 2", Opcode.IF, "message"),
        ("[1, message]", Opcode.LIST, "[1, message]"),
        ("{a: message}", Opcode.OBJECT, "{a: message}"),
        ("message ?? 1", Opcode.INPUT, "message"),
        ("message ?? 1", Opcode.COALESCE, "message ?? 1"),
        ("message ? 1 : 2", Opcode.TEXT, "message ? 1 : 2"),
    ],
)
def test_every_instruction_knows_its_place(expression: str, opcode: Opcode, place: str) -> None:
    assert places(route(log(expression), keys="codec: json"), opcode)[0] == place


def test_places_count_characters() -> None:
    assert places(route('- Log: {message: "سلام 👋 {{ 1 + message.a }}"}', keys="codec: json"), Opcode.MEMBER) == [
        "message.a"
    ]


def test_a_text_of_several_parts_is_made_at_the_whole_text() -> None:
    assert places(route('- Log: {message: "{{ message }} and {{ message }}"}'), Opcode.CONCAT) == [
        '"{{ message }} and {{ message }}"'
    ]


def test_a_fault_knows_its_place_inside_of_an_inner_expression() -> None:
    text = route(log("[1, 2] | map('item.name')"))
    with pytest.raises(Fault) as caught:
        connect(text).run()
    mark = caught.value.mark
    assert mark is not None
    assert text.split("\n")[mark.line - 1][mark.column - 1 : mark.end_column - 1] == "item.name"


def test_constants_and_imports_are_pooled() -> None:
    program = compiled(route("- Log: {message: a}\n- Log: {message: a}\n- Log: {message: '{{ 1 == true }}'}")).program
    assert program is not None
    assert program.constants == ("info", "a", 1)
    assert [row.name for row in program.imports] == ["log"]


def test_equal_numbers_of_other_kinds_are_other_constants() -> None:
    connection: Connection = connect_hooks('- Return: {value: [1, true, "1", 1.0, 1.5, "{{ 1e0 }}"]}')
    assert connection.run() == [("return", [1, True, "1", 1, 1.5, 1])]
    assert [value.__class__ for value in connection.run()[0][1]] == [int, bool, str, int, float, int]
