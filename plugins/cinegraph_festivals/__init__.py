"""Festivals as Cinegraph reads them: sources, services and page objects, without any I/O.

Every subpackage is one plugin: it registers the services it needs and a source whose ``plan`` names the pages of an
edition and whose ``read`` turns one fetched page into records.
"""
