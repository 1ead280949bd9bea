"""Customer profiles and activities of a CRM."""

from deskhub_crm.adapter import Crm, CrmConfig

__all__ = ["Crm", "CrmConfig"]
