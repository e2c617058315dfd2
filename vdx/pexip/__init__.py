"""The Management Node as a library: transport, authentication, paging, request budget, typed records."""
