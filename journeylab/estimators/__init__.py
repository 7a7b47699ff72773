"""Numbers from arrays: estimators that know no customer and no journey."""
