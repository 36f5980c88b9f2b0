"""Holds a running node to its own description: conform.py HOST:PORT SECONDS

The description is valid OpenAPI 3.1; then schemathesis makes requests from it, good ones and bad ones, and every answer must
be one that it names, with the headers and documents that it says. 5xx are answers only where it names them.
"""

import sys
import time

import httpx
import hypothesis
import openapi_spec_validator
import requests
import schemathesis
from schemathesis import checks

HOST, SECONDS = sys.argv[1], float(sys.argv[2])
client = httpx.Client(http1=False, http2=True, timeout=20)
HTTP1_ONLY = ("connection", "content-length", "host", "transfer-encoding")


def ask(case):
    """schemathesis speaks HTTP/1.1 by way of requests: what that would send, goes over HTTP/2."""
    request = requests.Request(**case.as_transport_kwargs(base_url=f"http://{HOST}")).prepare()
    headers = {name: value for name, value in request.headers.items() if name.lower() not in HTTP1_ONLY}
    # Answers name the request by what it called itself.
    headers.setdefault("X-Request-Id", "conform:7.x_1")
    return client.request(request.method, request.url, headers=headers, content=request.body)


def tame(case):
    """A stream never ends, and a wait lasts as long as it may: neither is to be waited for."""
    query = case.query
    if query and str(query.get("follow")).lower() not in ("none", "false"):
        query["follow"] = "false"
    if query and "wait" in query:
        query["wait"] = "5ms"
    headers = case.headers
    if headers and "text/event-stream" in str(headers.get("Accept")):
        del headers["Accept"]
    return case


description = client.get(f"http://{HOST}/openapi.json").json()
openapi_spec_validator.validate(description)
schema = schemathesis.openapi.from_dict(description)
CHECKS = [
    checks.CHECKS.get_one(name)
    for name in (
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
]
operations = [result.ok() for result in schema.get_all_operations()]
deadline = time.monotonic() + SECONDS
counts = {}
for operation in operations:
    label = f"{operation.method.upper()} {operation.path}"
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):

        @hypothesis.settings(
            max_examples=20,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def conforms(case):
            if time.monotonic() > deadline:
                return
            try:
                response = ask(tame(case))
            except (requests.exceptions.RequestException, httpx.LocalProtocolError, UnicodeEncodeError, ValueError):
                hypothesis.reject()  # HTTP itself has no way to say it.
            counts.setdefault(label, {}).setdefault(response.status_code, 0)
            counts[label][response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        try:
            conforms()
        except hypothesis.errors.Unsatisfiable:
            # There is nothing that could be wrong in a request without input.
            assert mode is schemathesis.GenerationMode.NEGATIVE, label
for label, statuses in counts.items():
    print(label, *(f"{status}:{count}" for status, count in sorted(statuses.items())))
assert len(counts) == len(operations), f"only {len(counts)} of {len(operations)} operations were tried in time"
