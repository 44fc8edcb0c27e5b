"""Face crops in TFRecord shards: schema, builder, index, manifest."""
