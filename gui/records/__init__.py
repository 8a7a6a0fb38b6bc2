"""The records that cross every boundary: frozen, made of plain values, with one JSON form."""
