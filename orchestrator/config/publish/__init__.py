"""What is published out of the schema: CustomResourceDefinitions and documentation."""
