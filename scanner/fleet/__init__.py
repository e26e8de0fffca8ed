"""Many sites: a centre that plans and remembers, and workers at the sites that scan (docs/fleet.md).

Plans, jobs and the inventory are the centre's, in one PostgreSQL. A worker connects out to it as the role of
its site, takes jobs of a few hundred addresses each, scans them into an inventory of its own, and delivers
what was learnt as a bundle. It never reads or writes the centre's inventory.
"""
