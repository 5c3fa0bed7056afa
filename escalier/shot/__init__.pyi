from .cluster import make_on_cluster as make_on_cluster
from .engines import command_list as command_list, job_template as job_template
from .plan import PLAN as PLAN, PlannedRun as PlannedRun, ShotPlan as ShotPlan, Source as Source
from .shot import Making as Making, Shot as Shot, open_shot as open_shot, plan_shot as plan_shot
