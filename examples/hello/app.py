print("Hello from AI Dev Daily! This is a Dockerized AI application.")
