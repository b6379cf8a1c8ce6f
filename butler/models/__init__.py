from butler.models.automation import Automation, AutomationVersion, PauseSwitch, TopicStatus
from butler.models.due import Due
from butler.models.heartbeat import Heartbeat
from butler.models.message import BudgetUse, Delivery, DeliveryReceipt, Message, ProviderLimit
from butler.models.run import Decision, Run
from butler.models.staff_task import StaffTask

__all__ = [
    "Automation",
    "AutomationVersion",
    "BudgetUse",
    "Decision",
    "Delivery",
    "DeliveryReceipt",
    "Due",
    "Heartbeat",
    "Message",
    "PauseSwitch",
    "ProviderLimit",
    "Run",
    "StaffTask",
    "TopicStatus",
]
