"""What becomes of each uplink of one device, live: received, judged, settled, acknowledged, found."""
