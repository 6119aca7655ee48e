"""Messages about leads that have just become worth a call.

Read in this order: ``message`` (what is said), ``outbox`` (where it waits, and who was above the threshold),
``webhook`` (how it is signed and sent), ``delivery`` (from the one to the other, at least once).
"""
