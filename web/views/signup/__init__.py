"""The pages by which visitors subscribe, and see and change what they get; and their forms."""
