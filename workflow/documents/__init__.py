"""What leaves or enters the house as a file: printed documents, codes, tokens, uploads, previews, storage."""
