"""What the fault scenarios share: a supervised mesh, a back end that never stops, cases, checks, figures."""
