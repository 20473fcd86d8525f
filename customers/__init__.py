"""People and companies who buy: the record, its contact points, consents and deeds."""
