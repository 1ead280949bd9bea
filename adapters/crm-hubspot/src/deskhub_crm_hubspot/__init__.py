"""A HubSpot CRM: who a customer is, and where actions are noted."""

from deskhub_crm_hubspot.adapter import CrmHubspot
from deskhub_crm_hubspot.settings import HubspotConfig

__all__ = ["CrmHubspot", "HubspotConfig"]
