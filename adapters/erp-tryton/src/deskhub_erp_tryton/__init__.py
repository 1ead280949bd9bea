"""Tryton for Deskhub: orders and stock in batches, returns with shipment and credit note."""

from deskhub_erp_tryton.adapter import ErpTryton

__all__ = ["ErpTryton"]
