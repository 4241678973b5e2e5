"""The language of HearthBeat: vitals, messages, records, topics, alerts and doses. It imports nobody."""
