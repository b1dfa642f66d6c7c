"""The loopback Hub on which a publication is rehearsed: the real client, the same requests.

    from kit.hub.rehearsal.serving import Hub
    from kit.hub.rehearsal.accounts import Account
    from kit.hub.rehearsal.faults import Fault

What it cannot prove: quotas and rate limits, real builds and hardware, ZeroGPU, moderation and
security scans, what the Hub changed since, and anything across a network.
"""
