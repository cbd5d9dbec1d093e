"""Stores: where campaigns' logs are kept."""

from evoengine.stores.base import CampaignRow, Check, Store

__all__ = ["CampaignRow", "Check", "Store"]
