"""Stock, expected receipts and credit notes of an ERP, read in batches."""

from deskhub_erp.adapter import Erp, ErpConfig

__all__ = ["Erp", "ErpConfig"]
