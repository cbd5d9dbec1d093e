"""The web page over a store: pages made on the server, read-only, that need no network and no JavaScript."""
