from tests.import_database import database_url, template_url

__all__ = ["database_url", "template_url"]
