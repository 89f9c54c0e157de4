"""The six levels of the cascade over TMDb; each module registers one matcher and can be blocked by itself."""
