FROM scratch
COPY app.py /app/
ENV A=1
WORKDIR /app
CMD ["/app/app.py"]
