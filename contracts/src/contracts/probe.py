"""Contract 4, probe controls: headers by which evals steer one request to the application.

They open the canary namespace and nothing else, and are refused without a valid key.
"""

PROBE_KEY = "X-Probe-Key"  # the secret whose sha256 stands in the application's settings
PROBE_INDEX = "X-Probe-Index"  # an alias or pinned copy to read instead of the live index
PROBE_BUNDLE = "X-Probe-Bundle"  # digest of a stored bundle to answer with
PROBE_CYCLE = "X-Probe-Cycle"  # generations of one cycle are shared, by the watcher's gateway
CANARY_NAMESPACE = "canary"
