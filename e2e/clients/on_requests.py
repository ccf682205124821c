"""A naive program on Python requests, in the manner of Zendesk's page "Best
practices for avoiding rate limiting". On a 429 it reads Retry-After, sleeps and
calls again. Its faults are kept, for they are in many integrations: the header
must be there and a whole number, it calls itself without bound, and any other
refusal is an error.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests

HEADERS = {"Authorization": "Bearer token"}


def call(method, url, **content):
    response = requests.request(method, url, headers=HEADERS, **content)
    if response.status_code == 429:
        time.sleep(int(response.headers["Retry-After"]))
        return call(method, url, **content)
    response.raise_for_status()
    return response.json()


def list_tickets(base):
    ids, url = [], base + "/api/v2/tickets.json?page[size]=100"
    while url:
        page = call("GET", url)
        ids += [ticket["id"] for ticket in page["tickets"]]
        url = page["links"]["next"] if page["meta"]["has_more"] else None
    return ids


def show(base, ticket):
    return call("GET", f"{base}/api/v2/tickets/{ticket}.json")["ticket"]["id"]


def update(base, ticket):
    change = {"ticket": {"subject": "changed"}}
    return call("PUT", f"{base}/api/v2/tickets/{ticket}.json", json=change)["ticket"]["id"]


def create(base, n):
    ticket = {"ticket": {"subject": f"made {n}", "comment": {"body": "hello"}}}
    return call("POST", base + "/api/v2/tickets.json", json=ticket)["ticket"]["id"]


def main(base, task, *tickets):
    if task == "list":
        return list_tickets(base)
    work = {"show": show, "update": update, "create": create}[task]
    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(lambda ticket: work(base, ticket), tickets))


print(json.dumps(main(*sys.argv[1:])))
