"""The sections below the tables in a ``params.yaml``: every key with its default and a comment."""

SECTIONS = """\

# ── leadrank check ──────────────────────────────────────────────────────────────────────────────
check:
  max_quarantine_share: 0.05  # a load is refused if more than this part of a table's rows is unusable

# ── Features ────────────────────────────────────────────────────────────────────────────────────
features:
  modules: []         # your own feature modules, by import name
  kinds_max: 20       # the most common kinds of touch that each get features of their own; as many stages
  places_max: 10      # likewise places
  values_max: 10      # likewise values of each other category of touches
  library_max: 80     # most built-in features that a model uses: those that help on later rows
  generic_max: 60     # most generic ones among them: features of columns that nobody described
  half_life_days: 30  # days after which a touch weighs half
  returned_days: 7    # a lead that is handed back within so many days was returned at once
  feedback: true      # what people say of a lead on the page of `leadrank serve` counts as a stage it reached
  # What your words mean where their names do not say it, or say it wrongly: means (call, form, reply …),
  # says (direct, contextual, negative, nothing) and weight (any number; below 0 it takes away).
  kinds: {}           # kinds of touch, for example {expo_scan: {means: event, weight: 2}}
  places: {}          # places, for example {/calculator: {says: direct, weight: 1.5}}

# ── leadrank train ──────────────────────────────────────────────────────────────────────────────
train:
  stage: won               # the stage whose probability is estimated
  horizon_days: 90         # days ahead in which it has to be reached
  horizons_days: []        # other days ahead to give a probability for, for example [30, 60, 180]
  stages: null             # further stages to give a probability for; null: mql, sql, opportunity
  every_days: 7            # days between the past moments that training looks from
  max_per_lead: 12         # at most so many past moments of one lead
  at_stage_entry: false    # true: look also from the first midnight after each stage of a lead
  at_days_after_creation: []  # for example [1, 3, 7]: look also when a lead is so many days old
  reporting_delay_days: 3  # days until an outcome is surely in the tables
  censoring: leave_out     # moments whose horizon is not over; weight: use those that are decided already
  unworked: keep           # leads on no call list; leave_out: learn from called ones alone, weighted …
  most_weight: 10          # … by the inverse of the chance that they had to be called, at most so much
  max_rows: 1000000        # moments to learn from at most; of more, so many are drawn and weighted; null: all
  memory: false            # true: use the features of published runs, the only past of current fields
  min_outcomes: 10         # with fewer won or fewer lost leads no model is trained
  segment_by: source       # no probability is published for a value of it with fewer won or not-won …
  segment_outcomes: 5      # … later leads than so many; rank and score stay. null: every one is published
  protected_fields: []     # fields that no model may use; the model card names what stands in for them
  bags: 4                  # models of each shape of trees; with many rows fewer are made
  max_depth: 8             # a tree is at most so deep; 8 is the most
  max_trees: 1000          # upper bound; training usually stops sooner
  monotone: {}             # what may only raise or lower the chance, for example {touches: rising}
  as_of: null              # moment that training looks back from; null: the latest recorded fact

# ── Models of their own for single values of a category, where later leads show that it pays ────
segments:
  by: null           # source, territory or another category of leads; null: one model for all
  min_outcomes: 100  # won, and lost, leads of the training slice that such a value needs

# ── Tags that are predicted: shown where their precision held on later leads ────────────────────
# rule reaches: one of the stages, first; silent: no touch by the lead; high_amount: top quarter if won.
# horizon_days null: train.horizon_days. precision_floor: share of right ones without which none is shown.
# field: a category of leads in place of a rule; its values are tags for leads that state none.
tags:
  likely_sql: {rule: reaches, stages: [sql], horizon_days: null, precision_floor: 0.5}
  likely_opportunity: {rule: reaches, stages: [opportunity], horizon_days: null, precision_floor: 0.5}
  fast_close: {rule: reaches, stages: [won], horizon_days: 30, precision_floor: 0.3}
  high_value: {rule: high_amount, stages: [], horizon_days: null, precision_floor: 0.4}
  will_be_returned:
    rule: reaches
    stages: [returned_at_once, returned_after_follow_up]
    horizon_days: null
    precision_floor: 0.5
  going_cold: {rule: silent, stages: [], horizon_days: 30, precision_floor: 0.7}

# ── Tuning in leadrank train ────────────────────────────────────────────────────────────────────
tuning:
  trials: 0  # other shapes of trees to try on your history; each takes about as long as a tenth of a training

# ── leadrank audit, and the audit in every training ─────────────────────────────────────────────
audit:
  allow: {}  # fields that are used whatever the audit finds, with your reason: {field: "why it is known"}

# ── The points scorecard: baseline of every training ───────────────────────────────────────────
scorecard:
  mql_points: 50      # points from which a lead counts as marketing-qualified
  half_life_days: 30  # days after which half of the points given for an action are left; null: they stay
  rules: []           # for example {feature: country, equals: "DE", points: 10, label: "home market"}

# ── What computes the features ──────────────────────────────────────────────────────────────────
engine:
  name: duckdb      # duckdb · spark · postgres: the same features to the last digit
  master: local[*]  # of Spark: local[*], a master's URL, or sc://HOST of Spark Connect
  shared: null      # of Spark: folder that this machine and all executors see; null: one of this machine
  settings: {}      # of Spark: settings of the session, such as spark.executor.memory: 4g
  url_env: null     # of Postgres: environment variable with the URL of the server

# ── Where experiments and models are kept ───────────────────────────────────────────────────────
tracking:
  uri: sqlite:///mlflow.db  # an MLflow address; credentials belong into the environment
  experiment: leadrank      # name of the experiment
  model: leadrank           # name of the registered model

# ── leadrank promote: what a new model may cost ─────────────────────────────────────────────────
promotion:
  capacity_share: 0.2               # share of the list that the team can call
  min_outcomes: 30                  # with fewer rows of either outcome nothing is compared
  min_slice_outcomes: 30            # likewise of a slice (source, country, territory, new and old leads)
  log_loss_rise_max_share: 0.02     # upper end of the interval, as a share of the champion's log loss
  capture_loss_max_share: 0.1       # lower end of the interval, of all outcomes found among the best
  calibration_rise_max_share: 0.02  # rise of the calibration error
  slice_rise_max_share: 0.05        # rise of the log loss of a slice that must not be sure
  churn_max_share: 0.5              # of tonight's best leads that are replaced
  same_reason_min_share: 0.3        # of tonight's leads that keep their first family of reasons

# ── leadrank retrain: when to train again, for cron ─────────────────────────────────────────────
retrain:
  every_days: 30      # days from one training to the next; null: not by time
  new_outcomes: null  # leads that were decided since the latest training; null: not by their number
  on_drift: true      # leadrank monitor may ask for it
  rest_days: 7        # days after a training in which none is due, whatever else says so
  backtest: false     # replay the past, too: it takes as long as several trainings
  promote: true       # put the challenger in force when every gate is open; false: a person decides

# ── A challenger scores beside the champion before anybody calls by it ──────────────────────────
shadow:
  nights: 0                # nights on which it does; 0: none
  needed_to_promote: true  # it is promoted only after all of them

# ── leadrank score ──────────────────────────────────────────────────────────────────────────────
score:
  runs: runs           # folder of the published rankings
  keep_runs: null      # latest runs that stay after each publish; null: all, for they are the memory
  publish_columns: []  # lead columns that are shown beside the ranking
  reasons_for: 3       # at most so many reasons for a lead
  reasons_against: 2   # and against it
  language: en         # of the sentences: en, zh or ru
  evidence_leads: 50   # earlier leads with such a value that the evidence of a reason needs
  timeline_touches: 20 # latest touches of each lead that are published to be shown; 0: none
  part_leads: null     # leads of a part, where the large files are folders of parts; null: one file each
  grade_shares: [0.25, 0.5, 0.75]  # of the leads: the best grade, the best two, the best three
  routes:              # what to do by grade: A-D for who the lead is, 1-4 for what it does
    call_now: [A1, B1, A2]
    fast_track: [C1, D1, B2]
    nurture: [C2, A3, B3, A4]  # all others: hold

# Beyond these figures a ranking is not published: the one in force stays, and `leadrank score` ends with 4.
gates:
  rows_fall: 0.2       # part of a table's rows, or of the ranked leads, that may be gone since the run before
  freshness_days: {}   # days without a new fact by table; the others are held to what is usual for them
  null_rise: 0.3       # by how much the part of leads without a value of a feature may rise
  unseen_rise: 0.2     # likewise with a category that training did not know
  drift: 1.0           # how far a number may move in a night (PSI)
  category_drift: 0.25 # how far a category may (Jensen-Shannon divergence)
  score_drift: 0.25    # how far the score may
  churn: 0.2           # part of the first tenth that others may take though data and model are the same
  ties: 0.5            # part of the leads that may have one score
  model_age_days: 400  # days since the end of what the model has learned from
  skew: 0.1            # part of leads whose feature may differ when it is rebuilt for the run before

# Whom each rep calls (`leadrank calls`): the best leads that are his, as many as the day has room for.
capacity:
  calls_per_owner: null  # calls of a rep in a day, about 25; null: no list, but for those named in owners
  owners: {}           # calls of single reps by name; 0 hands their leads to others of the territory
  territories: {}      # territory of single reps by name; else the one that most of their leads are in
  explore_share: 0.1   # part of each list that is drawn at random from the leads below the cut
  recycle_days: null   # days without a touch by the team after which a lead goes to the next rep

# ── A random holdout: leads that the ranking does not steer, docs/feedback-loop.md ──────────────
holdout:
  share: 0       # of the leads that are in the control group, up to 0.5; 0: no experiment runs
  salt: holdout  # name of the experiment: another name draws other leads
  since: null    # moment from which it runs; null: from the first night on

# What leads to nurture are offered: what earlier leads like them consumed before they advanced.
nurture:
  kinds: 3             # at most so many kinds of content for a lead
  window_days: 30      # days from entering a stage in which content counts
  min_leads: 50        # earlier leads with such content without which nothing is claimed

# What `leadrank report` shows of sources, funnel and team.
reports:
  sla_hours: 24        # hours in which a lead has to be touched once it is marketing-qualified

# ── leadrank monitor: what has moved since training and since last week ─────────────────────────
# A warning begins at three quarters of a limit.
monitor:
  at_score: true      # look by itself after each published ranking
  fail_on: alarm      # level from which on `leadrank monitor` ends with 4: warning, alarm; null: never
  drift: 0.25         # how far a feature, or the score, may move (PSI) …
  matters: 0.01       # … if that times its share of all contributions reaches this
  model_drift: 0.1    # how far all features may move, weighted by these shares
  null_rise: 0.1      # by how much the part of leads without a value of a feature may rise
  unseen_rise: 0.1    # likewise with a category that training did not know
  least_share: 0.005  # of all contributions, below which that does not matter, nor what new leads are like
  false_alarms: 0.01  # of what is named among new leads, the part that chance alone may have done
  min_leads: 10       # new leads of a segment without which nothing is said of it
  skew: 0.05          # part of leads whose feature may differ when it is rebuilt for last week's run
  realised: {}        # limits of rankings whose outcomes are known: docs/monitoring-quality.md
  estimated: {}       # limits of what tonight's ranking will turn out to be

# ── leadrank watch: who has just reached scorecard.mql_points, while it happens ─────────────────
watch:
  url_env: null        # environment variable with the address to post to; null: they stay in the outbox
  secret_env: null     # environment variable with the secret that each message is signed with
  timeout_seconds: 10  # how long one attempt may take

# ── Where else the ranking goes: see docs/sinks.md ──────────────────────────────────────────────
exports:
  crm: null   # files to import, in exports/ of the run: salesforce, hubspot or dynamics
  fields: {}  # header by column, for example {score: Lead_Score__c, for_1: Why__c}; none: the usual ones
ads:          # what a click is worth before its deal is decided, in exports/ of the run
  click_id: {}    # column of leads by platform, for example {google: gclid, microsoft: msclkid, meta: fbclid}
  currency: null  # of the amounts, for example EUR
  goals: {}       # stage that a campaign or source is paid by, for example {brand: sql}; others: train.stage
  names: {}       # what the platform calls the conversion of a stage, for example {sql: Qualified lead}
  amount: null    # of a won deal where the model predicts none; null: such leads are not sent
sinks:
  sql: null                   # environment variable with the URL of a PostgreSQL database to write to
  sql_schema: public          # where the tables are
  sql_lock_seconds: 10        # how long a statement waits for a lock
  sql_statement_seconds: 600  # how long it may take
  sql_retry_seconds: 60       # how long a database that does not answer is asked again
  objects: null               # s3://bucket/prefix of an object store that keeps the runs, too

# ── leadrank serve: the page and its API, docs/serving.md ───────────────────────────────────────
serve:
  host: 127.0.0.1      # where it listens; beyond this machine it wants public_url
  port: 8000           # likewise
  public_url: null     # the https address that browsers know it by
  trusted_proxy: null  # address of the proxy whose word on who asks is taken
  state_url_env: null  # environment variable with the URL of the state; null: .leadrank/state.db
  idle_hours: 8        # a login holds so long without a request
  absolute_hours: 24   # and so long at most
  language: en         # of the login page, and of users who chose none: en, zh or ru
  oidc: null           # OpenID Connect: issuer, client_id, client_secret_env, name_claim

# ── leadrank backtest ───────────────────────────────────────────────────────────────────────────
backtest:
  origins: 8           # past moments at which a model is trained on what was known there
  every_days: 30       # days from one of them to the next
  lists_every_days: 7  # days from one list of open leads to the next
  calls_per_week: 125  # leads that the team calls in a week; a rep manages about 125
  ages_days: [0, 30, 90, 180]  # how old a model may get before it is trained again, to compare
  slices: [source, territory, employees]  # fields by which the leads are looked at
  min_slice_outcomes: 30  # with fewer won leads a slice is not judged
  order_field: null    # a number field by which the team orders its calls today
  order_first: highest  # or lowest
  resamples: 500       # bootstrap resamples of each interval
"""
