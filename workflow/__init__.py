"""复工通 (Fugong): enterprise return-to-work review, from application to pass, in layers that import inward."""
