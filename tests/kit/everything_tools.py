"""The fixture server's tools: name, description, schema and what each does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import everything_content as content
import mcp_types as t
from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, PromptsListChanged, ResourceUpdated, ToolsListChanged

Answer = t.CallToolResult | t.InputRequiredResult
Context = ServerRequestContext[Any, Any]
Run = Callable[[Context, t.CallToolRequestParams], Awaitable[Answer]]

BUS = InMemorySubscriptionBus()
TOOLS: dict[str, tuple[t.Tool, Run]] = {}


def tool(description: str, schema: dict[str, Any] = content.NO_ARGUMENTS) -> Callable[[Run], Run]:
    def keep(run: Run) -> Run:
        TOOLS[run.__name__] = (t.Tool(name=run.__name__, description=description, input_schema=schema), run)
        return run

    return keep


def said(*contents: t.ContentBlock | str) -> t.CallToolResult:
    return t.CallToolResult(content=[content.text(c) if isinstance(c, str) else c for c in contents])


def elicit(message: str, schema: dict[str, Any]) -> t.ElicitRequest:
    return t.ElicitRequest(params=t.ElicitRequestFormParams(message=message, requested_schema=schema))


def sample(question: str, max_tokens: int) -> t.CreateMessageRequest:
    asked = t.SamplingMessage(role="user", content=content.text(question))
    return t.CreateMessageRequest(params=t.CreateMessageRequestParams(messages=[asked], max_tokens=max_tokens))


def need(state: str | None = None, **requests: t.InputRequest) -> t.InputRequiredResult:
    return t.InputRequiredResult(input_requests=requests or None, request_state=state)


def accepted(params: t.InputResponseRequestParams, key: str) -> dict[str, Any] | None:
    """What the person filled in under this key, or None when that was not (properly) answered."""
    answer = (params.input_responses or {}).get(key)
    return answer.content or {} if isinstance(answer, t.ElicitResult) and answer.action == "accept" else None


def sampled(params: t.InputResponseRequestParams, key: str) -> str | None:
    answer = (params.input_responses or {}).get(key)
    if not isinstance(answer, t.CreateMessageResult) or not isinstance(answer.content, t.TextContent):
        return None
    return answer.content.text


def roots(params: t.InputResponseRequestParams, key: str) -> list[str] | None:
    answer = (params.input_responses or {}).get(key)
    return [str(root.uri) for root in answer.roots] if isinstance(answer, t.ListRootsResult) else None


# Plain answers ---------------------------------------------------------------------------------------------------


@tool("Answers with one text")
async def test_simple_text(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return said("This is a simple text response for testing.")


@tool("Says its argument back", content.fields(text=content.STRING))
async def echo(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return said(str((params.arguments or {})["text"]))


@tool("Answers with an image")
async def test_image_content(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return said(content.IMAGE)


@tool("Answers with a sound")
async def test_audio_content(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return said(content.AUDIO)


@tool("Answers with an embedded resource")
async def test_embedded_resource(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return said(content.embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."))


@tool("Answers with a text, an image and a resource")
async def test_multiple_content_types(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    resource = content.embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
    return said("Multiple content types test:", content.IMAGE, resource)


@tool("Always fails")
async def test_error_handling(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return said("This tool intentionally returns an error for testing").model_copy(update={"is_error": True})


@tool("Has a schema of JSON Schema 2020-12", content.SCHEMA_2020_12)
async def json_schema_2020_12_tool(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return said(f"Received: {params.arguments}")


@tool(
    "Mirrors two arguments into request headers",
    content.fields(
        ["region"],
        region={"type": "string", "description": "Mirrored as a header", "x-mcp-header": "Region"},
        priority={"type": "integer", "description": "Mirrored as a header", "x-mcp-header": "Priority"},
        query={"type": "string", "description": "Stays in the body"},
    ),
)
async def test_x_mcp_header(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return said(f"Region: {(params.arguments or {}).get('region')}")


# Notifications ---------------------------------------------------------------------------------------------------


async def _log(ctx: Context, *lines: str) -> None:
    for number, line in enumerate(lines):
        if number:
            await asyncio.sleep(0.05)
        await ctx.session.send_log_message("info", line, related_request_id=ctx.request_id)


@tool("Logs three lines while it runs")
async def test_tool_with_logging(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    await _log(ctx, "Tool execution started", "Tool processing data", "Tool execution completed")
    return said("Tool with logging executed successfully")


@tool("Logs one line, if the request asked for logs")
async def test_logging_tool(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    await _log(ctx, "A line for those who asked")
    return said("Logged")


@tool("Reports progress three times")
async def test_tool_with_progress(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    for done in (0, 50, 100):
        if done:
            await asyncio.sleep(0.05)
        await ctx.session.report_progress(done, 100)
    return said("Tool with progress executed successfully")


@tool("Cuts its own stream, then answers to whoever comes back for it")
async def test_reconnection(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    if ctx.close_sse_stream is not None:
        await ctx.close_sse_stream()
    await asyncio.sleep(0.1)
    return said("Reconnection test completed")


@tool("Announces that the tools have changed")
async def test_trigger_tool_change(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    await BUS.publish(ToolsListChanged())
    return said("Announced")


@tool("Announces that the prompts have changed")
async def test_trigger_prompt_change(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    await BUS.publish(PromptsListChanged())
    return said("Announced")


@tool("Announces that the watched resource has changed")
async def test_trigger_resource_change(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    await BUS.publish(ResourceUpdated(uri=content.WATCHED))
    return said("Announced")


# Requests to the client, 2025-11-25 ------------------------------------------------------------------------------


@tool("Asks the client's model", content.fields(prompt=content.STRING))
async def test_sampling(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    question = sample(str((params.arguments or {})["prompt"]), 100).params
    answer = await ctx.session.create_message(
        question.messages, max_tokens=question.max_tokens, related_request_id=ctx.request_id
    )
    return said(f"LLM response: {answer.content.text if isinstance(answer.content, t.TextContent) else answer.content}")


async def _ask(ctx: Context, message: str, schema: dict[str, Any], intro: str) -> t.CallToolResult:
    answer = await ctx.session.elicit_form(message, schema, ctx.request_id)
    return said(f"{intro}action={answer.action}, content={answer.content}")


@tool("Asks the person", content.fields(message=content.STRING))
async def test_elicitation(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return await _ask(ctx, str((params.arguments or {})["message"]), content.USER_FIELDS, "User response: ")


@tool("Asks the person, with defaults")
async def test_elicitation_sep1034_defaults(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return await _ask(ctx, "Please review the defaults", content.DEFAULTED_FIELDS, "Elicitation completed: ")


@tool("Asks the person to choose, in five ways")
async def test_elicitation_sep1330_enums(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return await _ask(ctx, "Please choose", content.ENUM_FIELDS, "Elicitation completed: ")


# Requests to the client, 2026-07-28: the result says what is missing, the retry brings it ------------------------


NAME = elicit("What is your name?", content.fields(name=content.STRING))


@tool("Needs a client that can sample")
async def test_missing_capability(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    declared = ctx.session.client_capabilities
    if declared is None or declared.sampling is None:
        required = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(t.MISSING_REQUIRED_CLIENT_CAPABILITY, "This tool needs a client that can sample", required)
    return said("The client can sample")


@tool("Asks for a name on the response stream")
async def test_streaming_elicitation(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    given = accepted(params, "user_name")
    return need(user_name=NAME) if given is None or "name" not in given else said(f"Hello, {given['name']}!")


@tool("Asks for a name")
async def test_input_required_result_elicitation(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return await test_streaming_elicitation(ctx, params)


@tool("Asks the client's model for a capital")
async def test_input_required_result_sampling(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    answer = sampled(params, "capital_question")
    if answer is None:
        return need(capital_question=sample("What is the capital of France?", 100))
    return said(f"LLM response: {answer}")


@tool("Asks for the client's roots")
async def test_input_required_result_list_roots(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    given = roots(params, "client_roots")
    return need(client_roots=t.ListRootsRequest()) if given is None else said(f"Roots: {', '.join(given)}")


@tool("Asks for a yes, and checks that its own state comes back")
async def test_input_required_result_request_state(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    if params.request_state != "asked" or accepted(params, "confirm") is None:
        return need("asked", confirm=elicit("Please confirm", content.fields(ok={"type": "boolean"})))
    return said("state-ok")


@tool("Asks for a yes, and refuses a state that was tampered with")
async def test_input_required_result_tampered_state(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return await test_input_required_result_request_state(ctx, params)


@tool("Asks for three things at once")
async def test_input_required_result_multiple_inputs(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    name, greeting, given = accepted(params, "user_name"), sampled(params, "greeting"), roots(params, "client_roots")
    if params.request_state != "asked" or name is None or greeting is None or given is None:
        requests = {"greeting": sample("Generate a greeting", 50), "client_roots": t.ListRootsRequest()}
        return need("asked", user_name=NAME, **requests)
    return said(f"{greeting} {name.get('name')}, from {', '.join(given)}")


@tool("Asks twice, one answer after the other")
async def test_input_required_result_multi_round(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    first, second = accepted(params, "step1"), accepted(params, "step2")
    state = params.request_state or ""
    if state.startswith("second:") and second is not None:
        return said(f"{state.removeprefix('second:')} likes {second.get('color')}")
    if state == "first" and first is not None:
        colour = elicit("Step 2: What is your favorite color?", content.fields(color=content.STRING))
        return need(f"second:{first.get('name')}", step2=colour)
    return need("first", step1=elicit("Step 1: What is your name?", content.fields(name=content.STRING)))


@tool("Asks only for what the client declared")
async def test_input_required_result_capabilities(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    if params.input_responses:
        return said("Answered")
    declared = ctx.session.client_capabilities or t.ClientCapabilities()
    requests: dict[str, t.InputRequest] = {}
    if declared.elicitation is not None:
        requests["user_name"] = NAME
    if declared.sampling is not None:
        requests["greeting"] = sample("Generate a greeting", 50)
    if declared.roots is not None:
        requests["client_roots"] = t.ListRootsRequest()
    return need(**requests) if requests else said("The client declared nothing to ask for")
