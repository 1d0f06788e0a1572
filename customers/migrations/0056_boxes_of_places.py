"""Boxes of degrees are looked up as such: an index on latitude alone still holds a tenth of the country."""

from django.contrib.postgres.indexes import GistIndex
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0055_find_places_by_name")]

    operations = [
        migrations.RemoveIndex(model_name="postalplace", name="postal_place_box"),
        migrations.AddIndex(
            model_name="postalplace",
            index=GistIndex(
                models.Func("longitude", "latitude", function="point", output_field=models.Field()),
                name="postal_place_point",
            ),
        ),
    ]
