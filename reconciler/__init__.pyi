from reconciler.api import Access as Access
from reconciler.api import apply_plan as apply_plan
from reconciler.api import load_fleet as load_fleet
from reconciler.api import make_plan as make_plan
from reconciler.apply.options import ApplyOptions as ApplyOptions
from reconciler.errors import InvalidManifests as InvalidManifests
from reconciler.errors import ReconcilerError as ReconcilerError
from reconciler.errors import Refused as Refused
from reconciler.errors import StalePlan as StalePlan
from reconciler.model.declaration import Declaration as Declaration
from reconciler.model.fleet import Fleet as Fleet
from reconciler.model.fleet import Target as Target
from reconciler.plan.change import Create as Create
from reconciler.plan.change import Delete as Delete
from reconciler.plan.change import FieldChange as FieldChange
from reconciler.plan.change import Update as Update
from reconciler.plan.document import PlanDocument as PlanDocument
from reconciler.plan.intent import Intent as Intent
from reconciler.plan.plan import Plan as Plan
from reconciler.problem import Problem as Problem
from reconciler.results import ReportDocument as ReportDocument
from reconciler.results import Result as Result
from reconciler.results import TargetReport as TargetReport

__version__: str
