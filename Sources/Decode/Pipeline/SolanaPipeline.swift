// Records in, events at once and slot bundles when whole.
