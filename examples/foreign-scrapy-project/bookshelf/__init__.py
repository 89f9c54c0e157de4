"""A Scrapy project like any other: it knows films as little as Cinegraph knows books."""
