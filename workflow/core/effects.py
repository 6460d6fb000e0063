"""The vocabulary of effects that flow files may name; services carry them out, in the same transaction as the move."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """What follows from a move besides the new state."""

    ISSUE_RECEIPT = "issue_receipt"
    SEND_ONE_TIME_NOTICE = "send_one_time_notice"
    OPEN_NEXT_ROUND = "open_next_round"
    ISSUE_INSPECTION_SHEET = "issue_inspection_sheet"
    CANCEL_INSPECTION = "cancel_inspection"
    ISSUE_NOTICE = "issue_notice"
    FILE_WITH_CITY = "file_with_city"
    START_NEW_CYCLE = "start_new_cycle"
    TELL_COMPANY = "tell_company"
    ASK_OPINIONS = "ask_opinions"
    DRAW_SAMPLE = "draw_sample"
    REVOKE_PASSES = "revoke_passes"
    SUSPEND_PASSES = "suspend_passes"
    RESUME_PASSES = "resume_passes"
