"""The features themselves, by subject. A new one is a function under one of the decorators, in any file here."""
