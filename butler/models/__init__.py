from butler.models.automation import Automation, AutomationVersion, Halt, TopicStatus
from butler.models.due import Due
from butler.models.message import BudgetUse, Delivery, DeliveryReceipt, Lane, Message
from butler.models.run import Decision, Run
from butler.models.task import Pulse, Task

__all__ = [
    "Automation",
    "AutomationVersion",
    "BudgetUse",
    "Decision",
    "Delivery",
    "DeliveryReceipt",
    "Due",
    "Halt",
    "Lane",
    "Message",
    "Pulse",
    "Run",
    "Task",
    "TopicStatus",
]
